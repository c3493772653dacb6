type Filter = (&'static str, fn(char) -> bool, &'static str);

/// What differs from run to run: the text before it, the characters that it is
/// made of, and what stands in the snapshot instead.
const FILTERS: &[Filter] = &[
    ("127.0.0.1:", |c| c.is_ascii_digit(), "[PORT]"),
    ("request id ", |c| c.is_ascii_alphanumeric() || c == '-', "[ID]"),
    ("artifacts-probe-", |c| c.is_ascii_hexdigit(), "[ID]"),
    ("LOCAL", |c| c.is_ascii_digit(), "[ID]"),
    ("MEMORY", |c| c.is_ascii_digit(), "[ID]"),
    ("sha256   ", |c| c.is_ascii_hexdigit(), "[SHA256]"),
    ("size     ", |c| c.is_ascii_digit(), "[SIZE]"),
    ("\"request_id\":\"", |c| c != '"', "[ID]"),
    (" attempts in ", |c| c.is_ascii_digit() || " .ms".contains(c), "[TIME]"),
    ("\"elapsed_seconds\":", |c| c.is_ascii_digit() || c == '.', "[SECONDS]"),
    // Where a component is trapped moves with its compiler.
    (":   0x", |c| c.is_ascii_hexdigit(), "[AT]"),
    ("<wasm function ", |c| c.is_ascii_digit(), "[N]"),
    ("artifacts 0.", |c| c.is_ascii_digit() || c == '.', "[VERSION]"),
    ("AWS_ACCESS_KEY_ID=", |c| c.is_ascii_alphanumeric(), "[KEY]"),
    ("AWS_SECRET_ACCESS_KEY=", |c| c.is_ascii_alphanumeric(), "[KEY]"),
    ("\"AWS_ACCESS_KEY_ID\":\"", |c| c != '"', "[KEY]"),
    ("\"AWS_SECRET_ACCESS_KEY\":\"", |c| c != '"', "[KEY]"),
];

pub fn apply(text: &str) -> String {
    let text = FILTERS.iter().fold(text.to_owned(), |text, (before, made_of, instead)| {
        replace(&text, before, *made_of, instead)
    });
    narrow(&dates(&text))
}

fn replace(text: &str, before: &str, made_of: fn(char) -> bool, instead: &str) -> String {
    let mut parts = text.split(before);
    let mut filtered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(made_of);
        let instead = if rest.len() < part.len() { instead } else { "" };
        filtered += &format!("{before}{instead}{rest}");
    }
    filtered
}

/// `2026-11-22T10:00:00Z`, with or without a fraction, wherever it stands.
fn dates(text: &str) -> String {
    let mut filtered = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = after_date(rest) {
            filtered += "[DATE]";
            rest = after;
        } else {
            filtered.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    filtered
}

/// What follows a date that the text begins with.
fn after_date(text: &str) -> Option<&str> {
    const FORM: &str = "0000-00-00T00:00:00";
    let is_date = text.get(..FORM.len())?.bytes().zip(FORM.bytes()).all(|(b, form)| match form {
        b'0' => b.is_ascii_digit(),
        form => b == form,
    });
    let rest = text.get(FORM.len()..).filter(|_| is_date)?;
    let fraction =
        |rest: &'_ str| rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = match rest.strip_prefix('.') {
        Some(digits) => &digits[fraction(digits)..],
        None => rest,
    };
    rest.strip_prefix('Z')
}

/// The table of `config` is as wide as the name of the temporary folder is long.
fn narrow(text: &str) -> String {
    if !text.contains("\n  cache  ") {
        return text.to_owned();
    }
    let line = |line: &str| match line.strip_prefix("  ") {
        Some(row) => {
            let cells = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
            format!("  {}", cells.collect::<Vec<_>>().join("  "))
        }
        None => line.to_owned(),
    };
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}
