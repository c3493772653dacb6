use super::environment::Environment;

/// The region that the profile in force names, if any.
///
/// Reads `~/.aws/config` (or `AWS_CONFIG_FILE`), then `~/.aws/credentials` (or
/// `AWS_SHARED_CREDENTIALS_FILE`), for the profile of `AWS_PROFILE` or `default`.
/// A file that cannot be read names no region.
///
/// Source: [configuration files](https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html).
pub(super) async fn region(environment: &Environment) -> Option<String> {
    let profile = environment.get("AWS_PROFILE").unwrap_or("default");
    let in_config = match profile {
        "default" => "default".to_owned(),
        name => format!("profile {name}"),
    };
    for (variable, default, section) in [
        ("AWS_CONFIG_FILE", "~/.aws/config", in_config.as_str()),
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", profile),
    ] {
        let path = environment.expand_home(environment.get(variable).unwrap_or(default));
        if let Ok(text) = tokio::fs::read_to_string(path).await
            && let Some(region) = value_in(&text, section, "region")
        {
            return Some(region.to_owned());
        }
    }
    None
}

/// The value of `name` in `[section]`; indented lines belong to nested settings.
fn value_in<'a>(text: &'a str, section: &str, name: &str) -> Option<&'a str> {
    let mut within = false;
    for line in text.lines() {
        if let Some(title) = line.trim().strip_prefix('[').and_then(|l| l.split(']').next()) {
            within = title.split_whitespace().eq(section.split_whitespace());
        } else if within
            && !line.starts_with(char::is_whitespace)
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == name
        {
            // A comment after a value begins with a blank.
            let value = value.split([' ', '\t']).find(|word| !word.is_empty()).unwrap_or_default();
            return (!value.is_empty() && !value.starts_with(['#', ';'])).then_some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
# region = no
[default]
region=eu-west-1
s3 =
  region = nested
[profile  work]
region = us-west-2 # of the team
[profile empty]
region =
";

    #[test]
    fn a_region_is_found_in_its_section_only() {
        assert_eq!(value_in(CONFIG, "default", "region"), Some("eu-west-1"));
        assert_eq!(value_in(CONFIG, "profile work", "region"), Some("us-west-2"));
        assert_eq!(value_in(CONFIG, "profile empty", "region"), None);
        assert_eq!(value_in(CONFIG, "profile other", "region"), None);
        assert_eq!(value_in("[default]\ns3 =\n  region = nested\n", "default", "region"), None);
    }
}
