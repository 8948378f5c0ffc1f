//! Graphs: what was captured, to be done again and again.

use std::sync::Arc;

use crate::capture::Node;
use crate::table::Handle;

/// A graph, or an executable one: nothing of ours changes between the two.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) context: Handle,
    nodes: Arc<[Node]>,
}

impl Graph {
    pub(crate) fn new(context: Handle, nodes: Vec<Node>) -> Self {
        Self { context, nodes: nodes.into() }
    }

    /// The nodes, each behind those that it comes after.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}
