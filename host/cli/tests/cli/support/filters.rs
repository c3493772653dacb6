type Filter = (&'static str, fn(char) -> bool, &'static str);

/// What differs from run to run: the text before it, the characters that it is
/// made of, and what stands in the snapshot instead.
const FILTERS: &[Filter] = &[
    ("127.0.0.1:", |c| c.is_ascii_digit(), "[PORT]"),
    ("request id ", |c| c.is_ascii_alphanumeric() || c == '-', "[ID]"),
    ("sha256   ", |c| c.is_ascii_hexdigit(), "[SHA256]"),
    ("size     ", |c| c.is_ascii_digit(), "[SIZE]"),
    ("\"request_id\":\"", |c| c != '"', "[ID]"),
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
    dates(&text)
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

/// `2026-11-22T10:00:00Z`, wherever it stands.
fn dates(text: &str) -> String {
    const FORM: &str = "0000-00-00T00:00:00Z";
    let is_date = |text: &str| {
        text.len() == FORM.len()
            && text.bytes().zip(FORM.bytes()).all(|(b, form)| match form {
                b'0' => b.is_ascii_digit(),
                form => b == form,
            })
    };
    let mut filtered = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if rest.get(..FORM.len()).is_some_and(is_date) {
            filtered += "[DATE]";
            rest = &rest[FORM.len()..];
        } else {
            filtered.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    filtered
}
