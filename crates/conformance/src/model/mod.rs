//! A reference model of the laws, and random programs to hold a backend against it.
