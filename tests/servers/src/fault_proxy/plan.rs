use std::time::Duration;

use super::Rates;

/// Which half of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Answer,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// As if the other side had closed it.
    Close,
    /// As if a machine between had lost it.
    Reset,
}

/// Where in a message. Fractions are of the head's or the body's length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Start,
    Head(f64),
    Body(f64),
    End,
}

/// What happens to one exchange.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    pub(super) breaks: Option<(Direction, Place, Manner)>,
    /// Where in the body a bit is flipped, and which.
    pub(super) flip_request: Option<(f64, u8)>,
    pub(super) flip_answer: Option<(f64, u8)>,
    pub(super) delay: Option<Duration>,
}

impl Plan {
    pub(super) fn draw(rates: &Rates, random: &mut fastrand::Rng) -> Self {
        let breaks = one_in(rates.breaks, random).then(|| {
            let direction = if random.bool() { Direction::Request } else { Direction::Answer };
            let place = match random.u8(..4) {
                0 => Place::Start,
                1 => Place::Head(random.f64()),
                2 => Place::Body(random.f64()),
                _ => Place::End,
            };
            let manner = if random.bool() { Manner::Close } else { Manner::Reset };
            (direction, place, manner)
        });
        let mut flip = |rate| one_in(rate, random).then(|| (random.f64(), 1 << random.u8(..8)));
        let (flip_request, flip_answer) =
            (flip(rates.flipped_requests), flip(rates.flipped_answers));
        let delay = one_in(rates.delays, random).then(|| rates.longest_delay.mul_f64(random.f64()));
        Self { breaks, flip_request, flip_answer, delay }
    }

    /// Where a message of this direction is cut, where it is.
    pub(super) fn break_of(&self, direction: Direction) -> Option<(Place, Manner)> {
        let (at, place, manner) = self.breaks?;
        (at == direction).then_some((place, manner))
    }

    pub(super) fn flip_of(&self, direction: Direction) -> Option<(f64, u8)> {
        match direction {
            Direction::Request => self.flip_request,
            Direction::Answer => self.flip_answer,
        }
    }
}

fn one_in(rate: u32, random: &mut fastrand::Rng) -> bool {
    rate > 0 && random.u32(..rate) == 0
}

/// So far into a length.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "any byte nearby will do"
)]
pub(super) fn part_of(length: u64, fraction: f64) -> u64 {
    (length as f64 * fraction) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_ten_is_a_tenth_and_the_seed_decides() {
        let rates = Rates { breaks: 10, ..Rates::default() };
        let broken = |seed| {
            let mut random = fastrand::Rng::with_seed(seed);
            (0..10_000).filter(|_| Plan::draw(&rates, &mut random).breaks.is_some()).count()
        };
        assert_eq!(broken(1), broken(1));
        assert!((800..1200).contains(&broken(1)), "{}", broken(1));
        let mut random = fastrand::Rng::with_seed(1);
        assert!((0..1000).all(|_| Plan::draw(&Rates::default(), &mut random).breaks.is_none()));
    }
}
