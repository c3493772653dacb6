use std::io::{Read, Write};

use crate::support::{Cli, Server};

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run_with_input(["put", "large"], &vec![b'x'; 5_000_000]);
    let mut child = cli.command(["get", "large"]).spawn().unwrap();
    let mut first = [0];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_is_full_is_a_failure() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run_with_input(["put", "k"], b"x");
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for args in [["get", "k"], ["head", "k"], ["list", "-l"]] {
        let output = cli.command(args).stdout(full()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.starts_with("error: cannot write to standard output\n"), "{said}");
    }
}

#[test]
fn a_pipe_is_stored_while_it_is_written() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    let mut child =
        cli.command(["put", "k", "-"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for word in ["one ", "two ", "three"] {
        stdin.write_all(word.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(cli.run(["get", "k"]).text(), "one two three");
    assert_eq!(cli.temporary_names(), [""; 0]);
}
