//! Who is there, for operators.
