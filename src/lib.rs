//! The compiler: an app's folder in, one build out.

pub mod api_tree;
pub mod asset;
pub mod build;
pub mod bundle;
pub mod check;
pub mod compress;
pub mod config;
pub mod disk;
pub mod graph;
pub mod link;
pub mod nearest;
pub mod order;
pub mod output;
pub mod pages;
pub mod pipeline;
pub mod project;
pub mod public;
pub mod report;
pub mod resolve;
pub mod runtime_client;
pub mod scripts;
pub mod sheets;
pub mod style;
pub mod trees;
pub mod view;
pub mod zone;
