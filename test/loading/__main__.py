"""Every package in every DuckDB, and files that are not quite packages: each either works or is refused with a sentence, and
the process and its database go on. Needs the built packages and the environments of the SQL tests; with NODE_DIR in the environment,
where DuckDB for Node is installed, Node is asked too.

    python3 -m loading [--verbose]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from slt.hosts import HOSTS, HostSpec, extension, packages

import package

ANSWER = {"answer": [24, 852]}
UNSIGNED = {"allow_unsigned_extensions": "true"}
# What a user allows: what packages need, what DuckDB has for developers, and nothing.
SETTINGS = {"": UNSIGNED, "mismatch allowed": {**UNSIGNED, "allow_extensions_metadata_mismatch": "true"}, "plain": {}}
# How DuckDB refuses by the footer, and how the extension does once it is called.
BY_FOOTER = (
    r"built specifically for DuckDB version '.*' and can only be loaded with that version|can only load extensions built for (DuckDB C API|platform)"
    r"|has no stable surface yet|not a DuckDB extension"
)
BY_US = r"tstable unsupported format: "
# Some that wheels and repositories are made for, and one that nothing is made for.
OTHER_PLATFORMS = ("linux_amd64", "linux_arm64", "linux_amd64_musl", "osx_arm64", "windows_amd64", "plan9_mips")
# What is left of a download that ended early: nothing, less than a footer, half, all but a byte, all but half of the footer.
CUT = (("empty", 0.0, 0), ("cut-to-little", 1e-5, 0), ("cut-in-half", 0.5, 0), ("a-byte-short", 1.0, 1), ("half-a-footer", 1.0, 256))
FOOTER_BYTES = len(package.footer("C_STRUCT", "v1.2.0", "v1", "linux_amd64"))


@dataclass(frozen=True)
class File:
    """A file to load, how it is made of a package, and what each DuckDB has to say of it."""

    name: str
    abi: str
    states: str
    marker: str
    platform: str = ""
    footer: bool = True
    # How much of the file there is, as a share of it, or in bytes that are missing at its end.
    share: float = 1.0
    lacks: int = 0

    def write(self, library: bytes, directory: Path) -> Path:
        path = directory / self.name / "tstable.duckdb_extension"
        path.parent.mkdir()
        platform = self.platform or package.platform_name()
        footer = package.footer(self.abi, self.states, package.extension_version(), platform) if self.footer else b""
        content = package.marked(library, self.marker) + footer
        path.write_bytes(content[: int(len(content) * self.share) - self.lacks])
        return path

    def is_whole(self) -> bool:
        return self.footer and self.share == 1.0 and not self.lacks

    def passes_the_footer(self, version: str) -> bool:
        """Whether a DuckDB goes as far as to call the extension."""
        if self.abi == "C_STRUCT_UNSTABLE":
            fits = self.states == f"v{version}"
        else:
            fits = self.states == "v1.2.0" or (self.states == "v1.5.6" and packages.numbers(version) >= (1, 5, 6))
        return fits and self.is_whole() and not self.platform

    def is_sound(self) -> bool:
        return self.marker == next((made.marker for made in packages.packages() if made.states == self.states), None)


def files() -> list[File]:
    made = packages.packages()
    exact = next(one for one in made if one.only)
    whole = [File(f"package-{one.name}", one.abi, one.states, one.marker) for one in made]
    crossed = [
        File(f"footer-{footer.name}-marker-{marker.name}", footer.abi, footer.states, marker.marker)
        for footer in made
        for marker in made
        if footer != marker
    ]
    bare = [File(f"footer-{one.name}-no-marker", one.abi, one.states, "unset") for one in made]
    unstable = {host.version for host in HOSTS}
    return whole + crossed + bare + [
        *(File(f"platform-{name}", made[0].abi, made[0].states, made[0].marker, platform=name) for name in OTHER_PLATFORMS if name != package.platform_name()),
        File("no-footer", made[0].abi, made[0].states, made[0].marker, footer=False),
        *(File(name, made[0].abi, made[0].states, made[0].marker, share=share, lacks=lacks) for name, share, lacks in CUT),
        File("unknown-version", "C_STRUCT_UNSTABLE", "v2.9.9", exact.marker.replace(exact.states, "v2.9.9")),
        File("unknown-level", "C_STRUCT", "v1.9.0", "v1.9.0"),
        File("stable-level-of-2", "C_STRUCT", "v2.0.0", exact.marker),
        *(File(f"too-few-functions-{one.name}", one.abi, one.states, f"{one.states} 0*3") for one in made if one.only),
        *(File(f"unstable-{version}-marker-v1.5.6", "C_STRUCT_UNSTABLE", f"v{version}", "v1.5.6") for version in sorted(unstable)),
    ]  # fmt: skip


def asked(file: File) -> list[str]:
    """The settings to try. A file without a whole footer ends in an internal error of DuckDB's own, before ours is called, where
    mismatches are allowed."""
    return [setting for setting in SETTINGS if file.is_whole() or setting != "mismatch allowed"]


def expected(file: File, host: HostSpec, setting: str) -> str | None:
    """A pattern of the refusal; none where the extension has to work, `.` where DuckDB or the extension may say no."""
    if setting != "mismatch allowed" and not file.passes_the_footer(host.version):
        return BY_FOOTER
    if setting == "plain":
        return "allow_unsigned_extensions|unsigned extensions are disabled"
    if file.is_sound() and file.passes_the_footer(host.version):
        return None
    return "."


def check(file: File, host: HostSpec, setting: str, told: dict) -> str:
    """What is wrong with how it ended; nothing when all is well."""
    if "died" in told:
        return f"the process ended with {told['died']}"
    wanted = expected(file, host, setting)
    if "error" in told and not told["alive"]:
        return f"the database did not survive: {told['error']}"
    if wanted is None or "answer" in told:
        # What a lesser marker leaves out is not used here, so a package of an older level may answer too.
        right = told == ANSWER and (wanted is None or wanted == "." and not file.marker.startswith("unset"))
        return "" if right else f"expected {'an answer' if wanted is None else wanted}, found {told}"
    return "" if re.search(wanted if wanted != "." else f"{BY_US}|{BY_FOOTER}|Unsupported C CAPI version", told["error"]) else f"found {told['error']}"


def in_command_line(host: HostSpec, path: Path, setting: str) -> dict:
    """How loading ends in the command line, which is a program of its own."""
    allowed = [f"SET {name} = true;" for name in SETTINGS[setting] if name != "allow_unsigned_extensions"]
    flags = ["-unsigned"] if "allow_unsigned_extensions" in SETTINGS[setting] else []
    # What fails ends a statement, not the program, which then says whether the database still answers.
    script = "\n".join([*allowed, f"LOAD '{path}';", "SELECT 'answer ' || tstable_version();", "SELECT 'alive';"])
    run = subprocess.run([host.bin / "duckdb", *flags, "-batch", "-list", "-noheader"], input=script, capture_output=True, text=True)
    if run.returncode < 0:
        return {"died": run.returncode}
    if "answer tstable" in run.stdout:
        return ANSWER
    return {"error": run.stderr, "alive": "alive" in run.stdout}


def node_host() -> HostSpec | None:
    """DuckDB in Node, where that is installed."""
    directory = os.environ.get("NODE_DIR")
    if not directory:
        return None
    wanted = json.loads((Path(directory) / "package.json").read_text())["dependencies"]["@duckdb/node-api"]
    version = wanted.split("-")[0]
    return HostSpec(f"node-{version}", "node", version, packages.choose(version), "asked")


def in_node(path: Path, setting: str) -> dict:
    """How loading ends in Node."""
    words = ["node", Path(__file__).with_name("child.mjs"), path, json.dumps(SETTINGS[setting])]
    run = subprocess.run(words, capture_output=True, text=True)
    return json.loads(run.stdout) if run.returncode == 0 and run.stdout else {"died": f"{run.returncode} {run.stderr}"}


def main() -> int:
    verbose, failures, done = "--verbose" in sys.argv, [], 0
    # Any package is the library with a marker of its own, which is cut off and replaced.
    library = extension("v1").read_bytes()[:-FOOTER_BYTES]
    hosts = {host.version: host for host in HOSTS if host.kind == "python" and host.suite == "whole"}.values()
    command_lines = {host.version: [cli for cli in HOSTS if cli.kind == "cli" and cli.version == host.version] for host in hosts}
    node = node_host()
    with tempfile.TemporaryDirectory(prefix="tstable-packages-") as directory:
        for file in files():
            path = file.write(library, Path(directory))
            elsewhere = [(node, setting, in_node(path, setting)) for setting in asked(file)] if node else []
            for host in hosts:
                plan = [[str(path), SETTINGS[setting]] for setting in asked(file)]
                run = subprocess.run(
                    [host.bin / "python", Path(__file__).with_name("child.py")],
                    input=json.dumps(plan), stdout=subprocess.PIPE, text=True, check=True,
                )  # fmt: skip
                answers = [json.loads(line) for line in run.stdout.splitlines()]
                endings = [(host, setting, told) for setting, told in zip(asked(file), answers, strict=True)]
                endings += [(cli, setting, in_command_line(cli, path, setting)) for cli in command_lines[host.version] for setting in asked(file)]
                endings, elsewhere = endings + elsewhere, []
                for place, setting, told in endings:
                    wrong, done = check(file, place, setting, told), done + 1
                    if verbose or wrong:
                        print(f"{file.name} in {place.name} {setting}: {wrong or told}")
                    failures += [wrong] if wrong else []
            path.unlink()
    print(f"{done} loads, {len(failures)} ended wrongly")
    return 1 if failures or not done else 0


if __name__ == "__main__":
    sys.exit(main())
