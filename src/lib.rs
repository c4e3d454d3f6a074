//! The compiler: an app's folder in, one build out.

pub mod disk;
