//! Protocol-level clients and in-process nodes for tests.
