"""The page of tstable_report in headless Chromium: it draws itself from what it holds, 5,000 entities too, and is used with the
keyboard. Screenshots go to build/report. Skipped with a line where there is no Chromium."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools"))
import packages  # noqa: E402

EXTENSION = packages.built(duckdb.__version__)
SHOTS = REPOSITORY / "build" / "report"
ENTITIES = 5_000

# Uses the page as a person with a keyboard would, and writes down what it then says.
STEPS = """
<script>
(function () {
  var said = [];
  function press(key, times) {
    for (var i = 0; i < (times || 1); i++)
      document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: key, bubbles: true, cancelable: true }));
  }
  function say(name, value) { said.push(name + "=" + value); }
  say("ready", document.documentElement.dataset.ready);
  say("drawn", document.querySelectorAll(".row").length);
  say("stops", document.querySelectorAll('.cell[tabindex="0"]').length);
  document.querySelector('.cell[tabindex="0"]').focus();
  press("ArrowDown", 40); press("ArrowRight", 2);
  say("cell", document.activeElement.dataset.row + "," + document.activeElement.dataset.column);
  say("status", document.getElementById("status").textContent);
  press("End");
  say("end", document.activeElement.dataset.column);
  var filter = document.getElementById("filter");
  filter.value = "device-4321"; filter.dispatchEvent(new Event("input"));
  say("found", document.querySelectorAll(".row").length + " " + document.querySelector(".row .name").textContent);
  filter.value = ""; filter.dispatchEvent(new Event("input"));
  var sort = document.getElementById("sort");
  sort.value = "missing"; sort.dispatchEvent(new Event("change"));
  say("worst", document.querySelector(".row .name").textContent);
  say("unnamed", document.querySelectorAll('[role="gridcell"]:not([aria-label]):not(.share)').length);
  say("wide", document.documentElement.scrollWidth <= document.documentElement.clientWidth);
  document.body.dataset.said = said.join("|");
})();
</script>
"""


def browser() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def run(program: str, profile: Path, page: Path, *options: str) -> str:
    command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
    # Whatever the page asked the network for would fail.
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def write_report(directory: Path) -> Path:
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute(f"LOAD '{EXTENSION}'")
    con.execute(f"""
        COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * h AS ts, 'device-' || lpad(i::VARCHAR, 4, '0') AS device
              FROM range({ENTITIES}) t(i), range(24 * 14) u(h)
              WHERE hash(i, h) % 97 > 0 AND NOT (i = 1234 AND h BETWEEN 40 AND 300) AND isodow(TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * h) < 6
        ) TO '{directory}/rows.parquet'""")
    root = directory / "devices"
    con.execute(f"CALL tstable_create('{root}', time_column := 'ts', bucket := '1h', entity_columns := ['device'])")
    con.execute(f"CALL tstable_append('{root}', '{directory}/rows.parquet')")
    con.execute(f"CALL tstable_set_calendar('{root}', sessions := 'Mon-Fri 00:00-24:00')")
    con.execute(f"CALL tstable_mark_empty('{root}', '2024-01-03', '2024-01-04', entity := {{'device': 'device-0003'}})")
    page = directory / "report.html"
    con.execute(f"CALL tstable_report('{root}', '{page}')")
    con.close()
    return page


def check(said: dict[str, str]) -> list[str]:
    expected = {
        "ready": "true",
        "stops": "1",
        "cell": "40,2",
        "end": "95",
        "found": "1 device-4321",
        "worst": "device-1234",
        "unnamed": "0",
        "wide": "true",
    }
    problems = [f"{name} is {said.get(name)}, expected {value}" for name, value in expected.items() if said.get(name) != value]
    if not 10 <= int(said.get("drawn", "0")) <= 80:
        problems.append(f"{said.get('drawn')} rows are drawn; those in sight are enough")
    if not re.match(r"device-0040, 2024-01-01 0\d:00 to .*: (full|partly|empty)", said.get("status", "")):
        problems.append(f"the status line says {said.get('status')!r}")
    return problems


def main() -> None:
    program = browser()
    if program is None:
        print("report in a browser: skipped, Chromium is not installed")
        return
    SHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tstable-report-", ignore_cleanup_errors=True) as temporary:
        directory = Path(temporary)
        page = write_report(directory)
        used = directory / "used.html"
        used.write_text(page.read_text().replace("</body>", STEPS + "</body>"))
        found = re.search(r'data-said="([^"]*)"', run(program, directory / "profile", used, "--dump-dom"))
        if not found:
            sys.exit("report in a browser: its script did not run to the end")
        said = dict(part.split("=", 1) for part in found[1].split("|"))
        problems = check(said)
        for theme, number in (("light", 1), ("dark", 0)):
            shot = SHOTS / f"{theme}.png"
            run(program, directory / "profile", page, "--window-size=1320,1600", f"--blink-settings=preferredColorScheme={number}", f"--screenshot={shot}")
            if shot.stat().st_size < 30_000:
                problems.append(f"the screenshot {shot} is nearly blank")
        if problems:
            sys.exit("report in a browser:\n  " + "\n  ".join(problems))
    print(f"report in a browser: {len(said)} answers are right, screenshots in {SHOTS.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
