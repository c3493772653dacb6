use std::collections::BTreeMap;

/// The settings under one heading, names in lower case.
///
/// Nested settings are one value of several lines, as they stand.
pub(in crate::http) type Section = BTreeMap<String, String>;

/// Which of AWS's two files it is: their headings differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Kind {
    /// `~/.aws/config`: `[default]`, `[profile name]`, `[sso-session name]`.
    Config,
    /// `~/.aws/credentials`: `[name]`.
    Credentials,
}

/// What is in a configuration file of AWS.
///
/// Read as AWS's SDKs do it:
/// - `#` and `;` begin a comment, at the beginning of a line, after a heading, and after
///   a value and a blank;
/// - an indented line continues the value before it, or, where that is empty, is a
///   nested setting of it;
/// - what comes twice counts as it is written last, and `[profile default]` in place of
///   `[default]`;
/// - headings and names of settings that no one could ask for are left out.
///
/// A line that is none of this is left out too, and the first of them remembered.
///
/// Source: [configuration files](https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html).
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct ProfileFile {
    pub(super) profiles: BTreeMap<String, Section>,
    pub(super) sso_sessions: BTreeMap<String, Section>,
    /// What is wrong with which line, where anything is.
    pub(super) problem: Option<String>,
}

impl ProfileFile {
    pub(in crate::http) fn parse(text: &str, kind: Kind) -> Self {
        let mut parser =
            Parser { kind, file: Self::default(), place: Place::BeforeAll, open: Open::Nothing };
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if let Err(what) = parser.line(line) {
                let problem = || format!("line {}: {what}", index + 1);
                parser.file.problem.get_or_insert_with(problem);
            }
        }
        let mut file = parser.file;
        if let Some(plain) = file.profiles.remove(PLAIN_DEFAULT) {
            file.profiles.entry("default".to_owned()).or_insert(plain);
        }
        file
    }
}

/// Stands for `[default]` until it is known whether there is `[profile default]`.
const PLAIN_DEFAULT: &str = "";

struct Parser {
    kind: Kind,
    file: ProfileFile,
    place: Place,
    open: Open,
}

/// Under which heading a line stands.
enum Place {
    BeforeAll,
    Profile(String),
    SsoSession(String),
    Ignored,
}

/// What an indented line goes on with.
enum Open {
    Nothing,
    Setting(String),
    Ignored,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            return Ok(());
        }
        let indented = line.starts_with(char::is_whitespace);
        match &self.open {
            Open::Setting(name) if indented => {
                let name = name.clone();
                return self.section().map_or(Ok(()), |section| proceed(section, &name, trimmed));
            }
            Open::Ignored if indented => return Ok(()),
            _ => self.open = Open::Nothing,
        }
        if let Some(heading) = trimmed.strip_prefix('[') {
            return self.heading(heading);
        }
        if matches!(self.place, Place::BeforeAll) {
            return Err("a setting stands before the first [heading]");
        }
        if indented {
            return Err("an indented line goes on with nothing; move it to the left");
        }
        self.setting(line)
    }

    fn heading(&mut self, text: &str) -> Result<(), &'static str> {
        self.place = Place::Ignored;
        let end = "a heading ends with `]`";
        let (heading, rest) = text.split_once(']').ok_or(end)?;
        if !rest.trim_start().is_empty() && !rest.trim_start().starts_with(['#', ';']) {
            return Err(end);
        }
        let heading = heading.trim();
        let (first, name) = heading.split_once(char::is_whitespace).unwrap_or((heading, ""));
        let name = name.trim();
        let profile = match self.kind {
            Kind::Credentials => heading,
            Kind::Config if heading == "default" => PLAIN_DEFAULT,
            Kind::Config if first == "profile" && is_name(name) => name,
            Kind::Config if first == "sso-session" && is_name(name) => {
                self.file.sso_sessions.entry(name.to_owned()).or_default();
                self.place = Place::SsoSession(name.to_owned());
                return Ok(());
            }
            Kind::Config => return Ok(()),
        };
        if profile == PLAIN_DEFAULT && self.kind == Kind::Config || is_name(profile) {
            self.file.profiles.entry(profile.to_owned()).or_default();
            self.place = Place::Profile(profile.to_owned());
        }
        Ok(())
    }

    fn setting(&mut self, line: &str) -> Result<(), &'static str> {
        let (name, value) = line.split_once('=').ok_or("a setting is `name = value`")?;
        let name = name.trim().to_ascii_lowercase();
        if name.is_empty() {
            return Err("a setting has no name");
        }
        if name.contains(char::is_whitespace) {
            self.open = Open::Ignored;
            return Ok(());
        }
        if let Some(section) = self.section() {
            section.insert(name.clone(), without_comment(value).trim().to_owned());
        }
        self.open = Open::Setting(name);
        Ok(())
    }

    fn section(&mut self) -> Option<&mut Section> {
        match &self.place {
            Place::Profile(name) => self.file.profiles.get_mut(name),
            Place::SsoSession(name) => self.file.sso_sessions.get_mut(name),
            Place::BeforeAll | Place::Ignored => None,
        }
    }
}

/// Adds a line to a value, or a nested setting to one that began empty.
fn proceed(section: &mut Section, name: &str, line: &str) -> Result<(), &'static str> {
    let Some(value) = section.get_mut(name) else {
        return Ok(());
    };
    if value.is_empty() || value.starts_with('\n') {
        let (name, _) = line.split_once('=').ok_or("a nested setting is `name = value`")?;
        if name.trim().is_empty() {
            return Err("a nested setting has no name");
        }
    }
    value.push('\n');
    value.push_str(line);
    Ok(())
}

/// A comment after a value begins with a blank: `a#b` is a value.
fn without_comment(value: &str) -> &str {
    let comment = value
        .as_bytes()
        .windows(2)
        .position(|pair| matches!(pair[0], b' ' | b'\t') && matches!(pair[1], b'#' | b';'));
    comment.and_then(|at| value.get(..at)).unwrap_or(value)
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_/.%@:+".contains(c);
    !text.is_empty() && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Profiles and sessions as `name{setting=value,…}`, and what is wrong.
    fn read(text: &str, kind: Kind) -> String {
        let file = ProfileFile::parse(text, kind);
        let show = |prefix: &str, sections: &BTreeMap<String, Section>| {
            let one = |(name, section): (&String, &Section)| {
                let settings: Vec<String> =
                    section.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{prefix}{name}{{{}}}", settings.join(","))
            };
            sections.iter().map(one).collect::<Vec<String>>()
        };
        let mut shown = show("", &file.profiles);
        shown.extend(show("sso ", &file.sso_sessions));
        shown.extend(file.problem);
        shown.join(" ")
    }

    /// The situations are those of the test data of AWS's SDKs
    /// (`profile-parser-tests.json`).
    #[test]
    fn files_are_read_as_aws_s_sdks_read_them() {
        for (text, expected) in [
            ("", ""),
            ("[profile a]", "a{}"),
            ("\u{feff}[default]\nx=1", "default{x=1}"),
            ("[profile w-t:l/o%f.@b+_]\n[profile a!b]", "w-t:l/o%f.@b+_{}"),
            ("[profile a", "line 1: a heading ends with `]`"),
            ("[profile a] x", "line 1: a heading ends with `]`"),
            ("[ \tprofile \ta \t]", "a{}"),
            ("[profilea]\nx = 1\n[b]\n[services c]\nx = 1", ""),
            ("x = 1", "line 1: a setting stands before the first [heading]"),
            (" -x", "line 1: a setting stands before the first [heading]"),
            ("[profile a]\r\nx \t= \tval=ue \t\r\n", "a{x=val=ue}"),
            ("[profile a]\nX = 1\nx = 2\n[profile a]\ny =", "a{x=2,y=}"),
            ("[profile a]\n= 1", "a{} line 2: a setting has no name"),
            ("[profile a]\nx : 1", "a{} line 2: a setting is `name = value`"),
            ("\t \n#c\n;c\n[profile a];c\nx = 1 # c\ny = 2\t; c\n[profile b] #", "a{x=1,y=2} b{}"),
            ("[profile a]\nx = 1; c\ny = #\nz=#1", "a{x=1; c,y=,z=#1}"),
            ("[profile a]\nx = 1\n \t -2 # c\n -3", "a{x=1\n-2 # c\n-3}"),
            (
                "[profile a]\n -1",
                "a{} line 2: an indented line goes on with nothing; move it to the left",
            ),
            (
                "[profile a]\nx = 1\n[profile a]\n -2",
                "a{x=1} line 4: an indented line goes on with nothing; move it to the left",
            ),
            ("[profile a]\nin valid = 1\n y = 2\nz = 3", "a{z=3}"),
            (
                "[profile a]\ns3 =\n\n x = 1\n y =\n in valid = 2",
                "a{s3=\nx = 1\ny =\nin valid = 2}",
            ),
            ("[profile a]\ns3 =\n x", "a{s3=} line 3: a nested setting is `name = value`"),
            ("[profile a]\ns3 =\n = 1", "a{s3=} line 3: a nested setting has no name"),
            ("[profile default]\nx = 1\n[default]\ny = 2", "default{x=1}"),
            ("[default]\ny = 2\n[profile default]\nx = 1", "default{x=1}"),
            ("[default]\ny = 2", "default{y=2}"),
            ("[profile in valid]\nx = 1\n[profile a]\ny = 2", "a{y=2}"),
            ("[sso-session s]\nx = 1\n[profile a]", "a{} sso s{x=1}"),
            ("[sso-sesion s]\nx = 1", ""),
        ] {
            assert_eq!(read(text, Kind::Config), expected, "{text:?}");
        }
        for (text, expected) in [
            ("[ a ]\nx = 1\n[default]\ny = 2", "a{x=1} default{y=2}"),
            ("[profile a]\nx = 1\n[in valid]\nx = 1\n[sso-session s]", ""),
            ("[sso-sessions]\nx = 1\n[]\n", "sso-sessions{x=1}"),
        ] {
            assert_eq!(read(text, Kind::Credentials), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in "(\\[|\\]|profile |sso-session |default|[a#;=é\u{a0}]|[ \t]|\r|\n){0,60}",
            any in ".{0,80}",
        ) {
            for kind in [Kind::Config, Kind::Credentials] {
                ProfileFile::parse(&text, kind);
                ProfileFile::parse(&any, kind);
            }
        }
    }
}
