//! The report: Markdown, plots, and the bars as JSON.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context;
use serde::Serialize;

use crate::{plot::Plot, rounds::Spread, versions};

/// What sections add to, in the order in which it will be read.
#[derive(Debug)]
pub(crate) struct Report {
    text: String,
    plots: Vec<Plot>,
    bars: Vec<Bar>,
}

/// A figure that has to be at least, or at most, so much.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bar {
    /// What and where, as `small: put, 64 in flight: operations a second`.
    name: String,
    figure: f64,
    #[serde(rename = "bar")]
    limit: f64,
    at: At,
    met: bool,
    /// What it is compared with.
    note: String,
    /// What bounds the figure, where the bar is not met and that was found out.
    bounded_by: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum At {
    Least,
    Most,
}

impl Bar {
    /// A bar for a figure that is better the larger it is.
    pub(crate) fn at_least(bar: f64, name: impl Into<String>, figure: f64) -> Self {
        Self::new(At::Least, bar, name.into(), figure)
    }

    /// A bar for a figure that is better the smaller it is.
    pub(crate) fn at_most(bar: f64, name: impl Into<String>, figure: f64) -> Self {
        Self::new(At::Most, bar, name.into(), figure)
    }

    /// With a word on it, such as the peer.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// With what a profile shows to bound the figure, told where the bar is not met.
    pub(crate) fn bounded_by(mut self, what: &'static str) -> Self {
        self.bounded_by = (!self.met).then_some(what);
        self
    }

    /// By how many percent it is missed.
    fn missed_by(&self) -> f64 {
        ((self.figure / self.limit - 1.0) * 100.0).abs()
    }

    fn new(at: At, bar: f64, name: String, figure: f64) -> Self {
        // As it is shown, so that no figure contradicts its verdict. What is not a number
        // meets nothing.
        let figure =
            if figure.abs() < 1000.0 { (figure * 1000.0).round() / 1000.0 } else { figure };
        let met = match at {
            At::Least => figure >= bar,
            At::Most => figure <= bar,
        };
        Self { name, figure, limit: bar, at, met, note: String::new(), bounded_by: None }
    }
}

impl Report {
    pub(crate) fn new(quick: bool) -> Self {
        let mut report = Self { text: String::new(), plots: Vec::new(), bars: Vec::new() };
        let (title, command) = if quick {
            ("Benchmark, quick run", "just bench-quick")
        } else {
            ("Benchmark", "just bench")
        };
        report.text = format!("# {title}\n\nMade by `{command}`.\n\n");
        let rows =
            versions::surroundings().into_iter().map(|(name, value)| [name.to_owned(), value]);
        report.table(&["what", "which"], rows);
        report
    }

    /// The heading of a section.
    pub(crate) fn section(&mut self, title: &str) {
        self.add(&format!("## {title}\n\n"));
    }

    /// A heading within a section.
    pub(crate) fn part(&mut self, title: &str) {
        self.add(&format!("### {title}\n\n"));
    }

    /// A paragraph, in Markdown.
    pub(crate) fn text(&mut self, paragraph: &str) {
        self.add(&format!("{paragraph}\n\n"));
    }

    /// A table. The first column stands left, all others right.
    pub(crate) fn table<R>(&mut self, columns: &[&str], rows: impl IntoIterator<Item = R>)
    where
        R: IntoIterator<Item = String>,
    {
        self.add(&table(columns, rows));
        self.add("\n");
    }

    /// A plot, in a file of its own that the report shows.
    pub(crate) fn plot(&mut self, plot: Plot) {
        self.add(&format!("![{}]({})\n\n", plot.title, plot.file()));
        self.plots.push(plot);
    }

    /// A bar, met or not.
    pub(crate) fn bar(&mut self, bar: Bar) {
        self.bars.push(bar);
    }

    /// Writes `report.md`, the plots and `bars.json`, and prints the bars.
    pub(crate) fn write(mut self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        for plot in &self.plots {
            plot.draw(folder)?;
        }
        let rows = self.bars.iter().map(|bar| {
            let at = if bar.at == At::Least { "at least" } else { "at most" };
            let met = if bar.met { "yes" } else { "NO" };
            [
                bar.name.clone(),
                number(bar.figure),
                format!("{at} {}", bar.limit),
                met.to_owned(),
                bar.note.clone(),
            ]
        });
        let bars = table(&["bar", "figure", "has to be", "met", "note"], rows);
        self.add(&format!("## Bars\n\n{bars}"));
        let missed = missed(&self.bars);
        self.add(&missed);
        let json = serde_json::to_string_pretty(&self.bars)?;
        fs::write(folder.join("bars.json"), json + "\n")?;
        let file = folder.join("report.md");
        fs::write(&file, &self.text)?;
        print(&bars);
        let met = self.bars.iter().filter(|bar| bar.met).count();
        print(&format!("{met} of {} bars met; {}", self.bars.len(), file.display()));
        Ok(())
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

/// The bars that are not met: by how much, and what bounds them.
fn missed(bars: &[Bar]) -> String {
    let missed: Vec<&Bar> = bars.iter().filter(|bar| !bar.met).collect();
    let mut reasons = Vec::new();
    for bar in &missed {
        if !reasons.contains(&bar.bounded_by) {
            reasons.push(bar.bounded_by);
        }
    }
    let mut text = String::new();
    for reason in reasons {
        let of_reason = missed.iter().filter(|bar| bar.bounded_by == reason);
        let names = of_reason.map(|bar| format!("{} ({:.0} %)", bar.name, bar.missed_by()));
        let names: Vec<String> = names.collect();
        let reason = reason.unwrap_or("No profile tells yet what bounds these.");
        // Writing into a string does not fail.
        let _ = write!(text, "\n- {reason} Missed by: {}.\n", names.join("; "));
    }
    if text.is_empty() { text } else { format!("\n### What bounds those that are not met\n{text}") }
}

/// A figure with the digits that mean something.
pub(crate) fn number(figure: f64) -> String {
    match figure.abs() {
        to_hundreds @ 0.0..100.0 => {
            format!("{figure:.*}", if to_hundreds < 10.0 { 2 } else { 1 })
        }
        _ => format!("{figure:.0}"),
    }
}

/// The median, and in brackets from where to where it spread.
pub(crate) fn spread(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    format!("{} ({} to {})", number(median), number(min), number(max))
}

/// As Markdown, with columns that line up.
fn table<R>(columns: &[&str], rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = String>,
{
    let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.into_iter().collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).fold(columns[column].chars().count(), usize::max)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        for (column, (cell, width)) in cells.zip(&widths).enumerate() {
            // Writing into a string does not fail.
            let _ = match column {
                0 => write!(text, "| {cell:<width$} "),
                _ => write!(text, "| {cell:>width$} "),
            };
        }
        text.push_str("|\n");
    };
    line(&mut columns.iter().copied());
    let rules: Vec<String> = (0..columns.len())
        .map(|column| match column {
            0 => "-".repeat(widths[column]),
            _ => "-".repeat(widths[column].max(2) - 1) + ":",
        })
        .collect();
    line(&mut rules.iter().map(String::as_str));
    for row in &rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

/// A line of what was asked for. A reader that went away is no failure.
pub(crate) fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A line of talk.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_whether_it_is_met() {
        assert!(Bar::at_least(1.2, "operations", 1.2).met);
        assert!(!Bar::at_least(1.2, "operations", 1.19).met);
        assert!(Bar::at_most(0.8, "cpu", 0.5).met);
        assert!(!Bar::at_most(0.8, "cpu", f64::NAN).met);
    }

    #[test]
    fn what_bounds_a_bar_is_told_where_it_is_not_met() {
        let bar = |name, figure| Bar::at_least(2.0, name, figure).bounded_by("The network.");
        let unknown = Bar::at_most(1.0, "d", 2.0);
        let text = missed(&[bar("a", 1.5), unknown, bar("b", 2.0), bar("c", 1.0)]);
        assert!(text.contains("\n- The network. Missed by: a (25 %); c (50 %).\n"), "{text}");
        assert!(text.ends_with("bounds these. Missed by: d (100 %).\n"), "{text}");
        assert_eq!(missed(&[bar("b", 2.0)]), "");
    }

    #[test]
    fn columns_line_up() {
        let rows = [["put".to_owned(), "1".to_owned()], ["delete".to_owned(), "20".to_owned()]];
        let expected = "| what   |  n |\n| ------ | -: |\n| put    |  1 |\n| delete | 20 |\n";
        assert_eq!(table(&["what", "n"], rows), expected);
    }
}
