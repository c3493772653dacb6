use std::{
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use super::{Server, filters, server};

/// The program in a folder and an environment of its own, and what it said.
pub struct Cli {
    dir: TempDir,
    variables: Vec<(String, String)>,
    secret: Option<String>,
    transcript: String,
}

/// What one run came to.
pub struct Run {
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Cli {
    /// Without any setting.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["here", "home", "tmp"] {
            fs::create_dir(dir.path().join(sub)).unwrap();
        }
        let mut cli = Self { dir, variables: vec![], secret: None, transcript: String::new() };
        for (name, sub) in [("HOME", "home"), ("TMPDIR", "tmp")] {
            let path = cli.dir.path().join(sub);
            cli.set(name, path.to_str().unwrap());
        }
        // No machine's own credentials, and no second of waiting for them.
        cli.set("AWS_EC2_METADATA_DISABLED", "true");
        cli
    }

    /// With all that it takes to reach the server.
    pub fn on(server: &Server) -> Self {
        let mut cli = Self::new();
        cli.secret = Some(server.secret_key().to_owned());
        cli.set("ARTIFACTS_ENDPOINT", &server.endpoint());
        cli.set("ARTIFACTS_BUCKET", server::BUCKET);
        cli.set("ARTIFACTS_PREFIX", server::PREFIX);
        cli.set("AWS_ACCESS_KEY_ID", server.access_key());
        cli.set("AWS_SECRET_ACCESS_KEY", server.secret_key());
        cli
    }

    /// With all that it takes to reach an endpoint that checks nothing.
    pub fn at(endpoint: &str) -> Self {
        let mut cli = Self::new();
        cli.set("ARTIFACTS_ENDPOINT", endpoint);
        cli.set("ARTIFACTS_BUCKET", server::BUCKET);
        cli.set("AWS_ACCESS_KEY_ID", "id");
        cli.set("AWS_SECRET_ACCESS_KEY", "hunter2");
        cli
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(set, _)| set != name);
    }

    /// A path in the working directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("here").join(name)
    }

    /// The user's home.
    pub fn home(&self, name: &str) -> PathBuf {
        self.dir.path().join("home").join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        write(&self.path(name), bytes);
    }

    pub fn write_home(&self, name: &str, bytes: impl AsRef<[u8]>) {
        write(&self.home(name), bytes);
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The names in the working directory.
    pub fn names(&self) -> Vec<String> {
        names(&self.path(""))
    }

    /// The names in the folder for temporary files.
    pub fn temporary_names(&self) -> Vec<String> {
        names(&self.dir.path().join("tmp"))
    }

    /// The program, ready to run.
    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        self.isolated(env!("CARGO_BIN_EXE_artifacts"), args)
    }

    /// Another program, in the same folder and environment.
    pub fn isolated<A: AsRef<OsStr>>(
        &self,
        program: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.path("")).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program with nothing on standard input.
    pub fn run<const N: usize>(&mut self, args: [&str; N]) -> Run {
        let output = self.command(args).output().unwrap();
        self.note(&args, output)
    }

    /// Runs the program with bytes in a pipe on standard input.
    pub fn run_with_input<const N: usize>(&mut self, args: [&str; N], input: &[u8]) -> Run {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let feed = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        feed.join().unwrap().unwrap();
        self.note(&args, output)
    }

    fn note(&mut self, args: &[&str], output: Output) -> Run {
        let run = Run::from(output);
        let shown: Vec<String> = args
            .iter()
            .map(|arg| match arg.len() {
                100.. => format!("'{}…'", &arg[..20]),
                _ if arg.is_empty() || arg.contains([' ', '\n', '"', '\u{1b}']) => {
                    format!("{arg:?}")
                }
                _ => (*arg).to_owned(),
            })
            .collect();
        self.transcript +=
            &format!("$ artifacts {}\n", shown.join(" ")).replace("hunter2", "[SECRET]");
        let stdout = String::from_utf8_lossy(&run.stdout);
        self.transcript.extend(stdout.lines().map(|line| format!("  {line}\n")));
        self.transcript.extend(run.stderr.lines().map(|line| format!("! {line}\n")));
        self.transcript += &format!("[{}]\n\n", run.code.unwrap_or(-1));
        run
    }

    /// What was said since the last time, with what differs from run to run taken out.
    pub fn transcript(&mut self) -> String {
        let text = std::mem::take(&mut self.transcript);
        for secret in [self.secret.as_deref(), Some("hunter2")].into_iter().flatten() {
            assert!(!text.contains(secret), "a secret was shown:\n{text}");
        }
        let text = text.replace(&format!("{}/here/", self.dir.path().display()), "[HERE]/");
        filters::apply(&text.replace(self.dir.path().to_str().unwrap(), "[DIR]"))
    }
}

impl Run {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// The one JSON object on standard output.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap()
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            stderr: String::from_utf8(output.stderr).unwrap(),
            stdout: output.stdout,
            code: output.status.code(),
        }
    }
}

/// Sends Ctrl-C's signal to a child.
#[cfg(unix)]
pub fn interrupt(child: &std::process::Child) {
    signal(child, "-INT");
}

/// Sends a signal to a child.
#[cfg(unix)]
pub fn signal(child: &std::process::Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
