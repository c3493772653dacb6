use std::fmt::Display;

use toml::Spanned;

use super::{Origin, Setting};
use crate::{
    config_file::{ConfigFile, Keys},
    environment::Environment,
    failure::Failure,
};

/// What a setting is called on the command line and in the environment.
#[derive(Clone, Copy)]
pub(super) struct Name {
    flag: &'static str,
    variable: &'static str,
}

impl Name {
    pub(super) const fn new(flag: &'static str, variable: &'static str) -> Self {
        Self { flag, variable }
    }
}

/// Looks a setting up: flag, then variable, then file.
pub(super) struct Lookup<'a> {
    pub(super) env: &'a Environment,
    pub(super) file: Option<&'a ConfigFile>,
}

impl Lookup<'_> {
    pub(super) fn up<T, E: Display>(
        &self,
        name: Name,
        flag: Option<T>,
        key: fn(&Keys) -> Option<&Spanned<String>>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<Setting<T>>, Failure> {
        if let Some(value) = flag {
            return Ok(Some(Setting { value, origin: Origin::Flag(name.flag) }));
        }
        if let Some(text) = self.env.get(name.variable) {
            let value = parse(text).map_err(|why| wrong_variable(name, text, why))?;
            return Ok(Some(Setting { value, origin: Origin::Variable(name.variable) }));
        }
        let Some((file, entry)) = self.file.and_then(|file| Some((file, key(&file.keys)?))) else {
            return Ok(None);
        };
        let value = parse(entry.get_ref()).map_err(|why| file.reject(entry, &why.to_string()))?;
        Ok(Some(Setting { value, origin: place(file, entry) }))
    }

    pub(super) fn number(
        &self,
        name: Name,
        flag: Option<usize>,
        key: fn(&Keys) -> Option<&Spanned<usize>>,
    ) -> Result<Option<Setting<usize>>, Failure> {
        let parse = |text: &str| text.parse().map_err(|_| "it must be a number");
        Ok(self.up(name, flag, |_| None, parse)?.or_else(|| {
            let (file, entry) = self.file.and_then(|file| Some((file, key(&file.keys)?)))?;
            Some(Setting { value: *entry.get_ref(), origin: place(file, entry) })
        }))
    }

    pub(super) fn switch(
        &self,
        name: Name,
        flag: bool,
        key: fn(&Keys) -> Option<&Spanned<bool>>,
    ) -> Result<Option<Setting<bool>>, Failure> {
        if flag {
            return Ok(Some(Setting { value: true, origin: Origin::Flag(name.flag) }));
        }
        if let Some(text) = self.env.get(name.variable) {
            let value = match text {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return Err(wrong_variable(name, text, "it must be `true` or `false`")),
            };
            return Ok(Some(Setting { value, origin: Origin::Variable(name.variable) }));
        }
        Ok(self.file.and_then(|file| {
            let entry = key(&file.keys)?;
            Some(Setting { value: *entry.get_ref(), origin: place(file, entry) })
        }))
    }

    /// The first of AWS's own variables that is set.
    pub(super) fn aws(&self, variables: &[&'static str]) -> Option<Setting<String>> {
        variables.iter().find_map(|variable| {
            let value = self.env.get(variable)?.to_owned();
            Some(Setting { value, origin: Origin::Variable(variable) })
        })
    }
}

fn place<T>(file: &ConfigFile, entry: &Spanned<T>) -> Origin {
    Origin::File { path: file.path.clone(), line: file.line(entry) }
}

fn wrong_variable(name: Name, text: &str, why: impl Display) -> Failure {
    Failure::config(format!("{}={text:?}: {why}", name.variable))
}
