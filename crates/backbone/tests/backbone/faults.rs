//! What happens when servers fail, pause, or move slots: on servers of the test's own.
