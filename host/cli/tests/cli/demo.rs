use crate::support::Cli;

#[test]
fn the_demo_shows_a_whole_life_step_by_step() {
    let mut cli = Cli::new();
    let run = cli.run(["demo"]);
    assert_eq!(run.code, Some(0));
    assert!(run.text().ends_with("\ndemo: ok\n"));
    insta::assert_snapshot!(cli.transcript());
}

#[test]
fn the_demo_as_json_is_one_object_a_step() {
    let mut cli = Cli::new();
    let run = cli.run(["demo", "--json"]);
    assert_eq!(run.code, Some(0));
    insta::assert_snapshot!(cli.transcript());
}
