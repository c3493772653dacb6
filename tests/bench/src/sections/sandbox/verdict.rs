//! What the figures say: tables, and bars.

use anyhow::Context;

use super::{CHAIN, Figures, LeftOut, Operation, Reused, contender};
use crate::{
    plot::{Plot, Shape},
    report::{Bar, Report, number, spread},
    rounds::{Spread, ratios},
};

const AT_MOST_OVER_THE_FLOOR: f64 = 1.15;
const AT_MOST_FOR_A_FURTHER_POLICY: f64 = 1.0;

/// As measured on 2026-11-29; the cause is inferred, as that machine counts no cache misses.
const BOUND: &str = "The floor pays this too: 11 µs for the first policy, 13 to 16 for each further \
    one. Inferred and not profiled: all instances of a chain live at once, and the memory that each \
    fills with zeroes when it ends (64 KiB, tables and stack besides) no longer fits a cache of 1 MiB.";

pub(super) fn add(
    operation: Operation,
    figures: &Figures,
    report: &mut Report,
) -> anyhow::Result<()> {
    let of = |name: &str| {
        let micros = figures.micros.get(name).map(Vec::as_slice);
        micros.with_context(|| name.to_owned())
    };
    let allocations =
        |name: &str| figures.allocations.get(name).map_or(String::new(), |n| number(*n));
    let chain = |policies, reused| of(&contender::chain(policies, reused));
    let what = operation.name();

    report.part(&format!("A {what}"));
    let mut rows = Vec::new();
    for policies in CHAIN {
        let mut row = vec![policies.to_string()];
        for reused in Reused::ALL {
            row.push(spread(Spread::of(chain(policies, reused)?.iter().copied())));
        }
        let floor = of(&contender::floor(policies))?;
        row.push(spread(Spread::of(floor.iter().copied())));
        let over = ratios(chain(policies, Reused::Nobodys)?, floor);
        row.push(spread(over));
        row.push(allocations(&contender::chain(policies, Reused::Nobodys)));
        row.push(allocations(&contender::floor(policies)));
        rows.push(row);
        if [0, 1, 8].contains(&policies) {
            let over_what = match policies {
                0 => "the fresh store component".to_owned(),
                1 => "with a policy".to_owned(),
                more => format!("with {more} policies"),
            };
            let name = format!("{what}, {over_what}: over its floor");
            report.bar(bar(AT_MOST_OVER_THE_FLOOR, &name, over));
        }
    }
    let columns = [
        "policies",
        "all fresh, µs",
        "store component reused, µs",
        "all reused, µs",
        "floor, all fresh, µs",
        "fresh over floor",
        "allocations, fresh",
        "floor",
    ];
    report.table(&columns, rows);

    let rows = LeftOut::ALL
        .map(LeftOut::name)
        .into_iter()
        .map(|name| Ok([name.to_owned(), spread(Spread::of(of(name)?.iter().copied()))]));
    report.table(&["floor of no policies", "µs"], rows.collect::<anyhow::Result<Vec<_>>>()?);

    // Of each round by itself: what the machine did in that round is in both.
    let per_policy = |from: usize, to: usize| -> anyhow::Result<Vec<f64>> {
        let steps = u32::try_from(to - from)?;
        let pairs = chain(to, Reused::Nobodys)?.iter().zip(chain(from, Reused::Nobodys)?);
        Ok(pairs.map(|(more, less)| (more - less) / f64::from(steps)).collect())
    };
    let first = per_policy(0, 1)?;
    let further = per_policy(1, 8)?;

    let over = format!("policies 2 to 8, {what}: each over the first");
    let further = bar(AT_MOST_FOR_A_FURTHER_POLICY, &over, ratios(&further, &first));
    report.bar(further.bounded_by(BOUND));

    let heights = |name: &dyn Fn(usize) -> String| -> anyhow::Result<Vec<f64>> {
        let median = |policies| Ok(Spread::of(of(&name(policies))?.iter().copied()).median);
        CHAIN.into_iter().map(median).collect()
    };
    let mut series = vec![("floor, all fresh".to_owned(), heights(&contender::floor)?)];
    for reused in Reused::ALL {
        let name = |policies| contender::chain(policies, reused);
        series.push((reused.name().to_owned(), heights(&name)?));
    }
    report.plot(Plot {
        name: format!("sandbox-{operation:?}").to_lowercase(),
        title: format!("A {what} through so many policies"),
        unit: "µs".to_owned(),
        shape: Shape::Bars { groups: CHAIN.iter().map(ToString::to_string).collect(), series },
    });
    Ok(())
}

fn bar(bar: f64, name: &str, ratio: Spread) -> Bar {
    Bar::at_most(bar, format!("sandbox: {name}"), ratio.median)
        .note(format!("times, over the rounds {:.2} to {:.2}", ratio.min, ratio.max))
}
