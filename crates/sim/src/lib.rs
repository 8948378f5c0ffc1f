//! The simulated backend of syncpoint: virtual time, orders drawn from a seed, faults on request.
