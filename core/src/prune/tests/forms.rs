//! The forms that must prune, each where one expects it to.
