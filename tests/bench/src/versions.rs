//! What was measured, and on what.

use std::{fs, process::Command};

use crate::memory::latencies;

/// The lock file that this program was built with.
const LOCK_FILE: &str = include_str!("../Cargo.lock");

/// The version of a dependency.
pub(crate) fn of(name: &str) -> &'static str {
    let line = format!("name = \"{name}\"");
    let mut lines = LOCK_FILE.lines().skip_while(|at| *at != line).skip(1);
    let version = lines.next().and_then(|line| line.strip_prefix("version = "));
    version.map_or("unknown", |version| version.trim_matches('"'))
}

/// Machine, tools and date, as pairs of what and which.
pub(crate) fn surroundings() -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = of_proc("/proc/meminfo", "MemTotal");
    let mut all = vec![
        ("date", jiff::Zoned::now().strftime("%Y-%m-%d %H:%M %Z").to_string()),
        ("processor", format!("{}, {cores} cores", of_proc("/proc/cpuinfo", "model name"))),
        ("memory", memory),
        ("a read of memory at random", latencies()),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("compiler", printed("rustc", &["--version"])),
        (
            "commit",
            printed("git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"]),
        ),
    ];
    all.extend(
        ["object_store", "opendal", "aws-sdk-s3", "reqwest", "wasmtime", "tokio"]
            .map(|name| (name, of(name).to_owned())),
    );
    all
}

fn of_proc(file: &str, name: &str) -> String {
    let text = read(file);
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
    line.map_or_else(unknown, |(_, value)| value.trim().to_owned())
}

fn read(file: &str) -> String {
    fs::read_to_string(file).map_or_else(|_| unknown(), |text| text.trim().to_owned())
}

fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => unknown(),
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}
