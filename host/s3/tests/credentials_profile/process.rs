use std::fs;

use crate::home::{HIDDEN, Home, LATE};

/// A program that is this shell script.
fn program(home: &Home, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;

    let path = home.write("my tools/key", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// Prints this JSON.
fn printing(json: &str) -> String {
    format!("cat <<'END'\n{json}\nEND")
}

#[tokio::test]
async fn a_program_s_output_is_a_key() {
    let home = Home::new("").await.set("GREETING", "hello").set("PATH", "/usr/bin:/bin");
    let json = format!(
        r#"{{"Version":1,"AccessKeyId":"P","SecretAccessKey":"{HIDDEN}",
            "SessionToken":"t","Expiration":"{LATE}"}}"#
    );
    let script = format!("echo \"$#|$2|$GREETING\" >\"$HOME/seen\"\n{}", printing(&json));
    let program = program(&home, &script);
    home.write(
        ".aws/config",
        &format!("[default]\ncredential_process = \"{program}\" --for 'a b'  # whom\n"),
    );
    let (signs, source) = home.call().await.unwrap();
    assert_eq!(signs, "P");
    assert_eq!(source, format!("profile \"default\" by credential_process, until {LATE}"));
    let seen = fs::read_to_string(home.folder.path().join("seen")).unwrap();
    assert_eq!(seen, "2|a b|hello\n");
    let token = home.s3.only().header("x-amz-security-token");
    assert_eq!(token.as_deref(), Some("t"));
}

#[tokio::test]
async fn a_program_that_fails_is_named_and_not_quoted() {
    let json = |version: u32, rest: &str| {
        printing(&format!(r#"{{"Version":{version},"SecretAccessKey":"{HIDDEN}"{rest}}}"#))
    };
    for (script, expected) in [
        (format!("echo {HIDDEN}; echo {HIDDEN} >&2; exit 3"), "ended with exit status: 3; run it"),
        (printing(HIDDEN), "is not the JSON that it should be (line 1, column 1)"),
        (json(2, ""), "is not of \"Version\": 1"),
        (json(1, ""), "has no AccessKeyId"),
        (json(1, ",\"AccessKeyId\":\"P\",\"Expiration\":\"x\""), "Expiration that is no time"),
        (
            json(1, ",\"AccessKeyId\":\"P\",\"Expiration\":\"2020-01-01T00:00:00Z\""),
            "`profile` gave credentials that expired at 2020-01-01T00:00:00Z",
        ),
        ("exec cat /dev/zero".to_owned(), "is longer than 65536 bytes"),
    ] {
        let home = Home::new("").await.set("PATH", "/usr/bin:/bin");
        let program = program(&home, &script);
        home.write(
            ".aws/config",
            &format!("[default]\ncredential_process = '{program}' --token {HIDDEN}\n"),
        );
        let message = home.refusal().await;
        assert!(message.contains(expected), "{script}: {message}");
    }
}
