//! Draws from a seed: the same seed, the same row, as long as the standard library hashes as it does.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A row of numbers that look random.
#[derive(Debug)]
pub struct Draw {
    seed: u64,
    drawn: u64,
}

impl Draw {
    /// The row of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// A number below `count`; 0 of none.
    pub fn below(&mut self, count: usize) -> usize {
        self.drawn += 1;
        let mut hasher = DefaultHasher::new();
        (self.seed, self.drawn).hash(&mut hasher);
        // Kept to 32 bits: a machine's word holds it, and no count comes near.
        let drawn = u32::try_from(hasher.finish() >> 32).unwrap_or(u32::MAX);
        (drawn as usize).checked_rem(count).unwrap_or(0)
    }

    /// One of several.
    pub fn one_of<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        things.get(self.below(things.len()))
    }

    /// True once in so many draws.
    pub fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}
