use crate::support::Cli;

#[test]
fn help_of_the_program_and_of_every_command() {
    let mut cli = Cli::new();
    cli.run(["--help"]);
    insta::assert_snapshot!("help", cli.transcript());
    for command in [
        "put",
        "get",
        "head",
        "list",
        "delete",
        "demo",
        "serve-local",
        "policy",
        "doctor",
        "config",
        "completions",
    ] {
        let run = cli.run([command, "--help"]);
        assert_eq!(run.code, Some(0));
        // The settings of the store are the same everywhere.
        insta::assert_snapshot!(format!("help_{command}"), cli.transcript());
    }
}

#[test]
fn help_of_every_policy_command() {
    let mut cli = Cli::new();
    cli.run(["policy", "--help"]);
    insta::assert_snapshot!("help_policy", cli.transcript());
    for command in ["new", "check", "run"] {
        cli.run(["policy", command, "--help"]);
        insta::assert_snapshot!(format!("help_policy_{command}"), cli.transcript());
    }
}

#[test]
fn short_help_version_and_no_command_at_all() {
    let mut cli = Cli::new();
    cli.run(["-h"]);
    cli.run(["--version"]);
    cli.run([]);
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn completions_are_scripts_for_the_shell() {
    let mut cli = Cli::new();
    for (shell, sign) in
        [("bash", "complete -F"), ("zsh", "#compdef artifacts"), ("fish", "complete -c artifacts")]
    {
        let run = cli.run(["completions", shell]);
        assert_eq!(run.code, Some(0));
        assert!(run.text().contains(sign), "{}", run.text());
        assert!(run.text().contains("serve-local"));
    }
}
