use artifact_s3_server::Exchange;
use serde_json::json;

use super::Seen;
use crate::{failure::Failure, output::Output};

/// One call of the demo, and what became of it.
pub struct Step {
    number: u32,
    caller: String,
    result: String,
    asked: Vec<String>,
    wire: Vec<Exchange>,
}

/// What one call must look like on both sides of the S3 client.
pub struct Expected {
    asked: String,
    method: &'static str,
    /// What the target on the wire begins with; all of it, for an object.
    target: String,
    status: u16,
}

impl Expected {
    pub fn object(operation: &str, object: &str, method: &'static str, status: u16) -> Self {
        let (asked, target) = (format!("{operation} {object}"), format!("/{object}"));
        Self { asked, method, target, status }
    }

    pub fn listing(bucket: &str, prefix: &str) -> Self {
        let asked = format!("ListObjectsV2 {bucket}/{prefix}");
        Self { asked, method: "GET", target: format!("/{bucket}?"), status: 200 }
    }

    fn fits(&self, asked: &[String], wire: &[Exchange]) -> bool {
        let [exchange] = wire else { return false };
        let target = match self.target.strip_suffix('?') {
            // The order of the parameters is the client's affair.
            Some(path) => exchange.target.split('?').next() == Some(path),
            None => exchange.target == self.target,
        };
        let answer = exchange.status == self.status && exchange.is_signed();
        asked == [self.asked.as_str()] && exchange.method == self.method && target && answer
    }
}

impl Step {
    pub fn new(number: u32, caller: String) -> Self {
        Self { number, caller, result: String::new(), asked: Vec::new(), wire: Vec::new() }
    }

    pub fn result(&mut self, result: String) {
        self.result = result;
    }

    /// Takes what was seen, and holds it against what is expected.
    pub fn check(mut self, seen: &Seen, expected: &Expected) -> Result<Self, Failure> {
        (self.asked, self.wire) = seen.take();
        if expected.fits(&self.asked, &self.wire) {
            return Ok(self);
        }
        let wire: Vec<String> = self.wire.iter().map(ToString::to_string).collect();
        Err(Failure::demo(format!(
            "step {}: expected {} as one signed {} with status {}, and saw {:?} as {wire:?}",
            self.number, expected.asked, expected.method, expected.status, self.asked
        )))
    }

    pub fn show(&self, output: &Output) -> Result<(), Failure> {
        let wire: Vec<String> = self.wire.iter().map(ToString::to_string).collect();
        if output.json {
            return output.json(&json!({
                "step": self.number,
                "caller": self.caller,
                "component": self.asked,
                "wire": wire,
                "result": self.result,
            }));
        }
        output.data(&format!(
            "\n{}. {}\n   component asks S3   {}\n   over the wire       {}\n   result              {}\n",
            self.number,
            self.caller,
            self.asked.join(", "),
            wire.join(", "),
            self.result,
        ))
    }
}
