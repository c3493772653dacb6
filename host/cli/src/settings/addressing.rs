use std::{fmt, str::FromStr};

use super::lookup::Name;
use crate::args::GlobalArgs;

/// Where the bucket stands in a request's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    PathStyle,
    VirtualHost,
}

impl Addressing {
    /// What the two flags say.
    pub fn of_flags(args: &GlobalArgs) -> Option<Self> {
        match (args.path_style, args.virtual_host) {
            (true, _) => Some(Self::PathStyle),
            (_, true) => Some(Self::VirtualHost),
            _ => None,
        }
    }

    /// The one setting that two flags share.
    pub(super) fn name(args: &GlobalArgs) -> Name {
        let flag = if args.path_style { "--path-style" } else { "--virtual-host" };
        Name::new(flag, "ARTIFACTS_ADDRESSING")
    }
}

impl FromStr for Addressing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "path-style" => Ok(Self::PathStyle),
            "virtual-host" => Ok(Self::VirtualHost),
            _ => Err("it must be `path-style` or `virtual-host`".to_owned()),
        }
    }
}

impl fmt::Display for Addressing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PathStyle => "path-style",
            Self::VirtualHost => "virtual-host",
        })
    }
}
