//! Asking providers: whom, in which order, for how long.
