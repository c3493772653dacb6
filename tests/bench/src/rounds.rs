//! Interleaved rounds, so that a machine that slows down does so for everybody.

use serde::{Deserialize, Serialize};

/// Measures each contender once in every round: ours, peer, ours, peer. The order turns
/// by one from round to round, so that nobody is always first.
///
/// Gives the figures of each contender, in the contenders' order, by round.
pub(crate) fn interleaved<C, F>(
    contenders: &[C],
    rounds: usize,
    mut measure: impl FnMut(&C) -> anyhow::Result<F>,
) -> anyhow::Result<Vec<Vec<F>>> {
    let mut figures: Vec<Vec<F>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let index = (turn + round) % contenders.len();
            figures[index].push(measure(&contenders[index])?);
        }
    }
    Ok(figures)
}

/// The median of a figure over the rounds, and how far it spread.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of a figure's values, one or more, by round.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        let edge = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
        Self { median, min: edge(values.first()), max: edge(values.last()) }
    }
}

/// How many times the peer's figure ours is: the ratio of each round, as [`Spread`].
pub(crate) fn ratios(ours: &[f64], peers: &[f64]) -> Spread {
    Spread::of(ours.iter().zip(peers).map(|(ours, peer)| ours / peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_ratios_stands() {
        let ratios = ratios(&[1.0, 9.0, 4.0], &[1.0, 3.0, 2.0]);
        assert!((ratios.median - 2.0).abs() < 1e-9);
        assert!((ratios.min - 1.0).abs() < 1e-9 && (ratios.max - 3.0).abs() < 1e-9);
        assert!((Spread::of([1.0, 2.0]).median - 1.5).abs() < 1e-9);
    }

    #[test]
    fn everybody_is_measured_once_per_round() {
        let mut order = String::new();
        let figures = interleaved(&["a", "b"], 2, |name| {
            order.push_str(name);
            Ok(*name)
        });
        assert_eq!(order, "abba");
        assert!(figures.is_ok_and(|figures| figures == [["a", "a"], ["b", "b"]]));
    }
}
