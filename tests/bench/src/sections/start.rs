//! The program's start: how long until the first byte of a small artifact is there.

use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, ensure};
use artifact_guests::policies::KEY_RULES;

use super::Setting;
use crate::{
    report::{Bar, Report, spread},
    rounds::{Spread, interleaved},
    server::Server,
};

const AT_MOST_MILLIS_OVER_CURL: f64 = 20.0;
/// The program as users build it, with the profile of its own workspace.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release/artifacts");
const BUILD: &str = "cargo build --release --package artifact-cli";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contender {
    /// Everything is compiled.
    Cold,
    /// Code comes from the cache.
    Warm,
    /// Likewise, with a policy from a file in front.
    WarmWithPolicy,
    Curl,
}

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::Cold => "artifacts get, nothing cached",
            Self::Warm => "artifacts get, code cached",
            Self::WarmWithPolicy => "artifacts get, code cached, with a policy",
            Self::Curl => "curl --aws-sigv4",
        }
    }
}

pub(crate) fn run(setting: Setting, report: &mut Report) -> anyhow::Result<()> {
    report.section("Start");
    let program = Path::new(PROGRAM);
    if !program.exists() {
        report.text(&format!("Not measured: there is no program. `{BUILD}` builds it."));
        return Ok(());
    }
    report.text(
        "A process that gets an object of 4 KiB over HTTP on loopback: milliseconds from its \
         start until its first byte of output is there, and until it has ended. The policy is \
         `key-rules`, from a file.",
    );
    let mut contenders = vec![Contender::Cold, Contender::Warm, Contender::WarmWithPolicy];
    if curl_signs() {
        contenders.push(Contender::Curl);
    } else {
        report.text("There is no curl that knows `--aws-sigv4` (7.75) to compare it with.");
    }
    let place = Place::new(program)?;
    for contender in &contenders {
        place.get(*contender)?;
    }
    let rounds = setting.choose(10, 41);
    let figures = interleaved(&contenders, rounds, |contender| place.get(*contender))?;
    let rows = contenders.iter().zip(&figures).map(|(contender, figures)| {
        let of = |millis: fn(&Millis) -> f64| spread(Spread::of(figures.iter().map(millis)));
        [contender.name().to_owned(), of(|at| at.first_byte), of(|at| at.end)]
    });
    report.table(&["process", "to the first byte, ms", "to its end, ms"], rows);
    if let [_, warm, with_policy, curl] = &figures[..] {
        for (name, ours) in [("code cached", warm), ("code cached, with a policy", with_policy)] {
            let over = ours.iter().zip(curl).map(|(ours, curl)| ours.first_byte - curl.first_byte);
            let over = Spread::of(over);
            let name = format!("start: {name}: milliseconds to the first byte over curl");
            let note = format!("over the rounds {:.1} to {:.1}", over.min, over.max);
            report.bar(Bar::at_most(AT_MOST_MILLIS_OVER_CURL, name, over.median).note(note));
        }
    }
    Ok(())
}

/// Whether curl is there and signs.
fn curl_signs() -> bool {
    let output = Command::new("curl").args(["--help", "auth"]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("--aws-sigv4"))
}

#[derive(Clone, Copy, Debug)]
struct Millis {
    first_byte: f64,
    end: f64,
}

/// A server, and a home for the program in which nobody else's settings are.
struct Place {
    program: PathBuf,
    server: Server,
    home: tempfile::TempDir,
}

impl Place {
    fn new(program: &Path) -> anyhow::Result<Self> {
        let home = tempfile::tempdir()?;
        fs::write(home.path().join("key-rules.wasm"), KEY_RULES)?;
        fs::write(
            home.path().join("policy.toml"),
            "[[policy]]\nfile = \"key-rules.wasm\"\noperations = [\"get\"]\nkeys = [\"*\"]\n",
        )?;
        Ok(Self { program: program.to_owned(), server: Server::sink()?, home })
    }

    fn get(&self, contender: Contender) -> anyhow::Result<Millis> {
        let (home, service) = (self.home.path(), &self.server.service);
        let cold = home.join("cold");
        if contender == Contender::Cold && cold.exists() {
            fs::remove_dir_all(&cold)?;
        }
        let mut command = match contender {
            Contender::Curl => {
                let mut command = Command::new("curl");
                let url = format!("{}/{}/patch-size-4096", service.endpoint, service.bucket);
                command.args(["--silent", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3"]);
                let user = format!("{}:{}", service.access_key_id, service.secret_access_key);
                command.args(["--user", &user, &url]);
                command
            }
            Contender::Cold | Contender::Warm | Contender::WarmWithPolicy => {
                let mut command = Command::new(&self.program);
                command.args(["--bucket", &service.bucket, "--endpoint", &service.endpoint]);
                if contender == Contender::WarmWithPolicy {
                    command.arg("--config").arg(home.join("policy.toml"));
                }
                command.args(["get", "patch-size-4096"]);
                command
            }
        };
        let cache = if contender == Contender::Cold { cold } else { home.join("warm") };
        command
            .current_dir(home)
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", home)
            .env("XDG_CACHE_HOME", cache)
            .env("AWS_ACCESS_KEY_ID", &service.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &service.secret_access_key)
            .env("AWS_REGION", "us-east-1");
        time(command).with_context(|| contender.name())
    }
}

fn time(mut command: Command) -> anyhow::Result<Millis> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let began = Instant::now();
    let mut process = command.spawn()?;
    let mut stdout = process.stdout.take().context("its output")?;
    let mut bytes = vec![0; 64 << 10];
    let mut length = stdout.read(&mut bytes)?;
    let first_byte = began.elapsed().as_secs_f64() * 1e3;
    loop {
        match stdout.read(&mut bytes)? {
            0 => break,
            read => length += read,
        }
    }
    let status = process.wait()?;
    let end = began.elapsed().as_secs_f64() * 1e3;
    ensure!(status.success() && length == 4096, "{status}, {length} bytes of output");
    Ok(Millis { first_byte, end })
}
