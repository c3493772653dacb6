//! On a terminal: `script` (util-linux) gives one.

use crate::support::{Cli, Server, Slow};

/// Runs a shell line with the program as `$ARTIFACTS`, on a terminal.
fn on_terminal(cli: &Cli, line: &str, typed: &str) -> (String, Option<i32>) {
    use std::io::Write;

    let line = line.replace("artifacts", env!("CARGO_BIN_EXE_artifacts"));
    let mut command = cli.isolated("script", ["-qefc", &line, "/dev/null"]);
    command.env("PATH", "/usr/bin:/bin").env("TERM", "xterm").env("SHELL", "/bin/sh");
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("this test needs `script` of util-linux");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    (String::from_utf8_lossy(&output.stdout).replace('\r', ""), output.status.code())
}

#[test]
fn a_put_without_anything_to_store_says_so() {
    let cli = Cli::at("http://127.0.0.1:9");
    let (said, code) = on_terminal(&cli, "artifacts put k", "");
    assert!(said.contains("nothing to store: name a FILE, pipe the artifact in"), "{said}");
    assert_eq!(code, Some(2));
}

#[test]
fn binary_reaches_a_terminal_only_if_the_user_says_yes() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run_with_input(["put", "binary"], b"\0\x01MARK");
    cli.run_with_input(["put", "text"], b"MARK\n");

    let (said, code) = on_terminal(&cli, "artifacts get binary", "n\n");
    assert!(said.contains("Write it all the same? [y/N]") && !said.contains("MARK"), "{said}");
    assert_eq!(code, Some(2));
    let (said, code) = on_terminal(&cli, "artifacts get binary", "y\n");
    assert!(said.contains("MARK"), "{said}");
    assert_eq!(code, Some(0));
    let (said, code) = on_terminal(&cli, "artifacts get binary < /dev/null", "");
    assert!(said.contains("give -o FILE, or pipe it on") && !said.contains("MARK"), "{said}");
    assert_eq!(code, Some(2));
    let (said, code) = on_terminal(&cli, "artifacts get text < /dev/null", "");
    assert_eq!((said.as_str(), code), ("MARK\n", Some(0)));
}

#[test]
fn a_transfer_that_takes_time_shows_how_far_it_is() {
    let slow = Slow::stalling();
    let cli = Cli::at(&slow.endpoint);
    let (said, _) = on_terminal(&cli, "timeout -s INT 5 artifacts get k -o file", "");
    assert!(said.contains("15 B/976.56 KiB"), "{said}");
    let (said, _) = on_terminal(&cli, "timeout -s INT 3 artifacts get k -o file --quiet", "");
    assert!(!said.contains("15 B"), "{said}");
}

#[test]
fn what_a_key_holds_cannot_move_the_cursor() {
    let cli = Cli::at("http://127.0.0.1:9");
    let (said, _) = on_terminal(&cli, "artifacts get \"$(printf 'a\\033[2Jb')\"", "");
    assert!(!said.contains("\u{1b}[2J"), "{said:?}");
}
