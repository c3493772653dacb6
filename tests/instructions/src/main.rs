//! Counts the instructions that a call takes in this process, with `valgrind`, and fails
//! where they are more than a bound. They do not depend on how busy a machine is.
//!
//! The service runs in the parent, which is not counted. Each call is made a few and many
//! times, so that what only the first ones take (connecting, deriving a signing key) drops
//! out. Valgrind knows no SHA instructions, so that hashes weigh more here than they do.

use std::{
    env,
    error::Error,
    io::Write,
    net::SocketAddr,
    process::{Command, ExitCode},
};

mod calls;
mod sink;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The calls, and how many thousand instructions each may take: a tenth more than what it
/// took when the bound was set. Whoever makes one cheaper lowers its bound.
///
/// The first are the client's; then those through the bundled component, and through a policy
/// of somebody else before it.
const BOUNDS: &[(&str, u64)] = &[
    ("sign", 70),
    ("put", 325),
    ("get", 96),
    ("head", 84),
    ("delete", 77),
    ("store put", 364),
    ("store get", 142),
    ("policy put", 530),
    ("policy get", 308),
];

const FEW: u64 = 100;
const MANY: u64 = 400;

fn main() -> Outcome<ExitCode> {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [call, times, address] = &args[..] {
        calls::make(call, times.parse()?, address.parse()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout();
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        writeln!(out, "skipped: instructions: the bounds are those of Linux on x86-64")?;
        return Ok(ExitCode::SUCCESS);
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        writeln!(out, "skipped: instructions: valgrind is not installed")?;
        return Ok(ExitCode::SUCCESS);
    }
    let service = sink::start()?;
    let mut exceeded = false;
    for (call, bound) in BOUNDS {
        let (few, many) = (count(call, FEW, service)?, count(call, MANY, service)?);
        let thousands = many.saturating_sub(few) / (MANY - FEW) / 1000;
        let verdict = if thousands > *bound { "TOO MANY" } else { "" };
        writeln!(out, "{call:10} {thousands:5} of {bound:5} thousand instructions {verdict}")?;
        exceeded |= thousands > *bound;
    }
    Ok(if exceeded { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The instructions of a process that makes a call so many times.
fn count(call: &str, times: u64, service: SocketAddr) -> Outcome<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args([call, &times.to_string(), &service.to_string()])
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let counted = told.lines().filter_map(|line| line.split_once("Collected : ")).next_back();
    match counted {
        Some((_, count)) if output.status.success() => Ok(count.trim().parse()?),
        _ => Err(format!("{call}: valgrind failed: {told}").into()),
    }
}
