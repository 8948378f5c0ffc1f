//! Draws from a seed: the same seed, the same row.

/// A row of numbers that look random. The generator is `SplitMix64`: one addition and a mix, more than good enough to
/// order completions, and the same on every machine.
#[derive(Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `most`, both included.
    pub(crate) fn upto(&mut self, most: u64) -> u64 {
        // The low numbers are drawn a little more often where `most` is huge, which orders completions no worse.
        let drawn = self.next();
        most.checked_add(1).map_or(drawn, |count| drawn % count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_row_and_another_seed_another() {
        let row = |seed| {
            let mut draw = Draw::new(seed);
            [(); 8].map(|()| draw.next())
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
    }

    #[test]
    fn a_draw_stays_inside_and_reaches_both_ends() {
        let mut draw = Draw::new(1);
        let drawn: Vec<u64> = (0..1000).map(|_| draw.upto(3)).collect();
        for number in 0..=3 {
            assert!(drawn.contains(&number));
        }
        assert!(drawn.iter().all(|number| *number <= 3));
        assert_eq!(draw.upto(0), 0);
        draw.upto(u64::MAX);
    }
}
