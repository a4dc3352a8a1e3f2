//! Where keys can be: the demands of the seed note that are about signers.
