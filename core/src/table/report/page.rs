//! The report as HTML: one page without a single address in it, so that it can be mailed and archived. Everything but the
//! heat map is there without scripts.

use std::fmt::Write as _;

use super::contents::{GapLine, Line, Report};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Labels below the heat map's axis, when there is room for them.
const TICKS: usize = 6;
const CHART_WIDTH: f64 = 1_200.0;
const CHART_HEIGHT: f64 = 130.0;

/// The page.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut page = String::with_capacity(64 * 1024 + report.lines.len() * 200);
    let root = text(&report.root);
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src \
         'unsafe-inline'; img-src data:\">\n<title>{root} – tstable report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#map-title\">Skip to the heat map</a>\n"
    );
    head(&mut page, report, &root);
    page.push_str("<main>\n");
    advice(&mut page, report);
    heat_map(&mut page, report);
    gaps(&mut page, &report.gaps);
    segments(&mut page, report);
    freshness(&mut page, report);
    let _ = write!(
        page,
        "</main>\n<footer>Version {} of the table, made by {}. Times are {}.</footer>\n\
         <script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        report.version,
        text(crate::table::names::WRITER),
        match &report.timezone {
            Some(zone) => format!("those of the index column; buckets are local to {}", text(zone)),
            None => "those of the index column".to_owned(),
        },
        data(report)
    );
    page
}

fn head(page: &mut String, report: &Report, root: &str) {
    let totals = &report.totals;
    let _ = write!(
        page,
        "<header>\n<h1>{root}</h1>\n<p class=\"soft\">Coverage from {} to {}, by {} in buckets of {}</p>\n<dl class=\"tiles\">\n",
        text(&report.start),
        text(&report.until),
        text(&report.index_column),
        text(&report.bucket)
    );
    let tiles = [
        ("Covered", totals.percent()),
        ("Entities", number(report.lines.len() as u64)),
        ("Missing buckets", number(totals.missing)),
        ("Gaps", number(totals.gaps)),
        ("Confirmed empty", number(totals.confirmed_empty)),
        ("Rows", number(report.rows)),
        ("Segments", format!("{} ({})", number(report.segments), size(report.bytes))),
        ("Last commit", report.committed.get(..16).unwrap_or(&report.committed).replace('T', " ")),
    ];
    for (name, value) in tiles {
        let _ = writeln!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", text(&value));
    }
    page.push_str("</dl>\n</header>\n");
}

fn advice(page: &mut String, report: &Report) {
    page.push_str(
        "<section aria-labelledby=\"next-title\">\n<h2 id=\"next-title\">What to do next</h2>\n<ol class=\"advice\">\n",
    );
    for item in &report.advice {
        let _ = write!(page, "<li>{}", text(&item.text));
        if let Some(sql) = &item.sql {
            let _ = write!(page, "<code tabindex=\"0\">{}</code>", text(sql));
        }
        page.push_str("</li>\n");
    }
    page.push_str("</ol>\n</section>\n");
}

fn heat_map(page: &mut String, report: &Report) {
    let _ = write!(
        page,
        "<section aria-labelledby=\"map-title\">\n<h2 id=\"map-title\" tabindex=\"-1\">Entities by period</h2>\n\
         <p class=\"soft\">Each column is a period of {}. Arrow keys, Page Up and Down, Home and End move through it; what is \
         pointed at or focused is described below.</p>\n\
         <div class=\"tools\"><label>Find an entity<input id=\"filter\" type=\"search\" autocomplete=\"off\"></label>\
         <label>Order<select id=\"sort\"><option value=\"name\">by name</option><option value=\"missing\">most missing first</option>\
         <option value=\"share\">least covered first</option><option value=\"longest\">longest gap first</option>\
         <option value=\"late\">furthest behind first</option></select></label></div>\n\
         <ul class=\"legend\"><li><i class=\"cf\"></i>full</li><li><i class=\"partly\"></i>partly, little to much</li>\
         <li><i class=\"cell c0\"></i>empty</li><li><i class=\"cc\"></i>closed</li><li><i class=\"ce\"></i>confirmed empty</li></ul>\n\
         <div class=\"map\" id=\"map\" role=\"grid\" aria-label=\"Coverage of entities by period\" aria-colcount=\"{}\">\n",
        text(&report.period),
        report.periods.len() + 2
    );
    let _ = writeln!(
        page,
        "<div class=\"axis\" aria-hidden=\"true\"><span>entity</span><span class=\"ticks\">{}</span><span>covered</span></div>",
        ticks(report)
    );
    all(page, report);
    page.push_str(
        "<div class=\"scroll\" id=\"scroll\" role=\"presentation\"><div class=\"rows\" id=\"rows\" role=\"rowgroup\"></div></div>\n</div>\n\
         <p class=\"status\" id=\"status\" role=\"status\" aria-live=\"polite\"></p>\n\
         <noscript><p>The map needs scripts; the lists below do not.</p></noscript>\n</section>\n",
    );
}

fn ticks(report: &Report) -> String {
    let last = report.periods.len().saturating_sub(1);
    let count = TICKS.min(report.periods.len());
    let at = |tick: usize| if count > 1 { tick * last / (count - 1) } else { 0 };
    let label = |tick| report.periods.get(at(tick)).map(|(start, _)| format!("<span>{}</span>", text(start)));
    (0..count).filter_map(label).collect()
}

/// A line for all entities together: of the periods in which anything is expected, how full they are.
fn all(page: &mut String, report: &Report) {
    if report.lines.len() < 2 {
        return;
    }
    page.push_str(
        "<div class=\"all\" aria-hidden=\"true\"><div class=\"name\">all together</div><div class=\"cells\">",
    );
    for column in 0..report.periods.len() {
        let letters: Vec<u8> =
            report.lines.iter().filter_map(|line| line.letters.as_bytes().get(column).copied()).collect();
        let _ = write!(page, "<div class=\"cell c{}\"></div>", together(&letters));
    }
    let _ = writeln!(page, "</div><div class=\"share\">{}</div></div>", text(&report.totals.percent()));
}

fn together(letters: &[u8]) -> char {
    let expected: Vec<u32> = letters
        .iter()
        .filter_map(|letter| match letter {
            b'f' => Some(10),
            digit @ b'0'..=b'9' => Some(u32::from(digit - b'0')),
            _ => None,
        })
        .collect();
    let (sum, count) = (expected.iter().sum::<u32>(), u32::try_from(expected.len()).unwrap_or(u32::MAX));
    match (count, sum) {
        (0, _) if letters.contains(&b'e') => 'e',
        (0, _) => 'c',
        (_, 0) => '0',
        (count, sum) if sum >= count.saturating_mul(10) => 'f',
        (count, sum) => char::from_digit((sum / count).clamp(1, 9), 10).unwrap_or('9'),
    }
}

fn gaps(page: &mut String, gaps: &[GapLine]) {
    page.push_str("<section aria-labelledby=\"gaps-title\">\n<h2 id=\"gaps-title\">Largest gaps</h2>\n");
    if gaps.is_empty() {
        page.push_str("<p>There are none.</p>\n</section>\n");
        return;
    }
    let mut rows = String::new();
    for gap in gaps {
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"number\">{}</td><td>{}</td></tr>",
            text(&gap.entity),
            text(&gap.start),
            text(&gap.end),
            number(gap.buckets),
            gap.position
        );
    }
    table(page, &["Entity", "From", "Until", "#Buckets", "Where"], &rows);
    page.push_str("</section>\n");
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn segments(page: &mut String, report: &Report) {
    page.push_str(
        "<section aria-labelledby=\"segments-title\">\n<h2 id=\"segments-title\">Segment sizes over time</h2>\n",
    );
    let average = |bytes: u64, segments: u64| bytes as f64 / segments.max(1) as f64;
    let most = report.bins.iter().map(|bin| average(bin.bytes, bin.segments)).fold(1.0, f64::max);
    let each = report.bins.first().map_or(1, |bin| bin.segments);
    let bar = if each == 1 { "a segment".to_owned() } else { format!("the average of {each} segments") };
    let _ = write!(
        page,
        "<p class=\"soft\">Each bar is {bar}, in the order of the index; the tallest is {}.</p>\n\
         <svg viewBox=\"0 0 {CHART_WIDTH} 160\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Bytes of segments in the \
         order of the index; the same is in the list below\">",
        size_of(most)
    );
    let step = CHART_WIDTH / report.bins.len().max(1) as f64;
    let mut rows = String::new();
    for (i, bin) in report.bins.iter().enumerate() {
        let height = (average(bin.bytes, bin.segments) / most * CHART_HEIGHT).max(1.0);
        let wide = (step - 2.0).clamp(1.0, 60.0);
        let _ = write!(
            page,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{height:.1}\"><title>{}: {} segments, {}</title></rect>",
            i as f64 * step,
            150.0 - height,
            text(&bin.start),
            bin.segments,
            size(bin.bytes)
        );
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            text(&bin.start),
            number(bin.segments),
            number(bin.rows),
            size(bin.bytes)
        );
    }
    page.push_str("</svg>\n<details><summary>The same as a list</summary>\n");
    table(page, &["From", "#Segments", "#Rows", "#Size"], &rows);
    page.push_str("</details>\n</section>\n");
}

fn freshness(page: &mut String, report: &Report) {
    let _ = write!(
        page,
        "<section aria-labelledby=\"fresh-title\">\n<h2 id=\"fresh-title\">Freshness</h2>\n\
         <p class=\"soft\">Created {}, last commit {}.</p>\n",
        text(&report.created),
        text(&report.committed)
    );
    if report.late.is_empty() {
        page.push_str("<p>No entity is behind the newest.</p>\n</section>\n");
        return;
    }
    let behind = report.lines.iter().filter(|line| line.lag_buckets > 0).count() as u64;
    let _ = writeln!(
        page,
        "<p>{} of {} entities are behind the newest:</p>",
        number(behind),
        number(report.lines.len() as u64)
    );
    let mut rows = String::new();
    for (entity, last, lag) in &report.late {
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            text(entity),
            text(last),
            text(lag)
        );
    }
    table(page, &["Entity", "Last bucket", "Behind by"], &rows);
    page.push_str("</section>\n");
}

/// A table; names of columns of numbers begin with `#`.
fn table(page: &mut String, columns: &[&str], rows: &str) {
    page.push_str("<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table><thead><tr>");
    for column in columns {
        let (class, name) = column.strip_prefix('#').map_or(("", *column), |name| (" class=\"number\"", name));
        let _ = write!(page, "<th scope=\"col\"{class}>{name}</th>");
    }
    let _ = write!(page, "</tr></thead><tbody>\n{rows}</tbody></table></div>\n");
}

/// What the script needs, as JSON that cannot end its element.
fn data(report: &Report) -> String {
    let entity = |line: &Line| {
        serde_json::json!([
            line.name,
            line.letters,
            line.expected,
            line.missing,
            line.gaps,
            line.longest,
            line.lag_buckets
        ])
    };
    let value = serde_json::json!({
        "periods": report.periods,
        "entities": report.lines.iter().map(entity).collect::<Vec<_>>(),
    });
    value.to_string().replace('<', "\\u003c")
}

/// Text for an element or attribute.
fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// `12,345,678`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn size(bytes: u64) -> String {
    size_of(bytes as f64)
}

fn size_of(bytes: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes;
    for unit in units {
        if value < 1_000.0 {
            return if unit == "B" || value >= 100.0 {
                format!("{value:.0} {unit}")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1_000.0;
    }
    format!("{value:.0} PB")
}
