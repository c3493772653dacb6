use crate::support::{Cli, Server};

#[test]
fn an_output_that_cannot_be_written_is_told_before_anything_is_fetched() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("file", "old");
    cli.run(["get", "k", "-o", "no-such-folder/file"]);
    cli.run(["get", "k", "-o", "file/below"]);
    cli.run(["get", "k", "-o", "."]);
    cli.run(["get", "k", "-o", "no-such-folder/file", "--json"]);
    assert_eq!(server.requests(), [""; 0]);
    assert_eq!(cli.names(), ["file"]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn the_old_file_is_untouched_where_there_is_no_artifact() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.write("file", "old");
    assert_eq!(cli.run(["get", "nope", "-o", "file"]).code, Some(3));
    assert_eq!(cli.read("file"), b"old");
    assert_eq!(cli.run(["get", "nope", "-o", "new"]).code, Some(3));
    assert_eq!(cli.names(), ["file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_old_file_and_no_part_of_the_new() {
    let server = Server::start();
    let mut cli = Cli::on(&server);
    cli.run_with_input(["put", "large"], &vec![b'x'; 8_000_000]);
    cli.transcript();
    cli.run(["get", "large", "-o", "/dev/full"]);
    insta::assert_snapshot!(cli.transcript());

    // A limit on the size of files stands in for a disk that fills on the way: 2 or
    // 4 MB, by the shell, which leaves room for the sandbox's own memory.
    cli.write("file", "old");
    let script = "trap '' XFSZ; ulimit -f 4000; exec \"$0\" get large -o file";
    let program = env!("CARGO_BIN_EXE_artifacts");
    let output = cli.isolated("/bin/sh", ["-c", script, program]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: cannot write file\n  caused by: File too large"), "{said}");
    assert_eq!(cli.read("file"), b"old");
    assert_eq!(cli.names(), ["file"]);
}
