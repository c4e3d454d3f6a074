//! The compiler: an app's folder in, one build out.

pub mod api_tree;
pub mod asset;
pub mod compress;
pub mod config;
pub mod disk;
pub mod graph;
pub mod link;
pub mod nearest;
pub mod order;
pub mod output;
pub mod project;
pub mod resolve;
pub mod style;
pub mod view;
pub mod zone;
