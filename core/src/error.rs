//! The one error type of the format: a kind, a message for a person, context as key and value, and a source.
//! Nothing here knows files, SQL or hosts.

use std::{error, fmt};

/// What sort of failure it is; SQL messages begin with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A table, file, version or name does not exist.
    NotFound,
    /// Something is there already and differs from what was asked for.
    AlreadyExists,
    /// An argument is outside what the call accepts.
    InvalidArgument,
    /// Columns or types differ from the table's.
    SchemaMismatch,
    /// Buckets to be appended are covered already.
    Overlap,
    /// Another writer changed the table in a way that this change cannot follow.
    Conflict,
    /// The commit may or may not have become durable; reload the table to find out.
    CommitUnknown,
    /// A file of the table is damaged or contradicts another.
    Corrupt,
    /// The table or file uses something this version does not know.
    UnsupportedFormat,
    /// The operating system refused an operation.
    Io,
    /// A bound on size, count or value is exceeded.
    LimitExceeded,
    /// The caller interrupted the work.
    Cancelled,
    /// Our own bookkeeping failed: a defect, which says nothing about arguments or data.
    Internal,
}

impl ErrorKind {
    /// The words that SQL messages begin with, after `tstable `.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::InvalidArgument => "invalid argument",
            Self::SchemaMismatch => "schema mismatch",
            Self::Overlap => "overlap",
            Self::Conflict => "conflict",
            Self::CommitUnknown => "commit unknown",
            Self::Corrupt => "corrupt",
            Self::UnsupportedFormat => "unsupported format",
            Self::Io => "io",
            Self::LimitExceeded => "limit exceeded",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

type Source = Box<dyn error::Error + Send + Sync>;

/// A failure: kind, message, context and, where there is one, the cause.
///
/// Displays as `tstable <kind>: <message> (key value, ...): <cause>`.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<Source>,
}

/// The result of everything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` whose message says what failed, what was expected and what to do.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), context: Vec::new(), source: None }))
    }

    /// Adds one key and value, shown after the message. A key that is there already keeps its first value.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        if self.0.context.iter().all(|(k, _)| *k != key) {
            self.0.context.push((key, value.to_string()));
        }
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without kind, context and cause.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// An [`ErrorKind::Io`] error about `path`; a missing file becomes [`ErrorKind::NotFound`].
    pub fn io(action: &str, path: impl fmt::Display, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::NotFound {
            return Self::new(
                ErrorKind::NotFound,
                format!("cannot {action} '{path}': there is no such file or directory"),
            );
        }
        Self::new(ErrorKind::Io, format!("cannot {action} '{path}'")).caused_by(source)
    }
}

macro_rules! constructors {
    ($($name:ident => $kind:ident),* $(,)?) => {
        impl Error {
            $(
                #[doc = concat!("An error of kind [`ErrorKind::", stringify!($kind), "`].")]
                pub fn $name(message: impl Into<String>) -> Self {
                    Self::new(ErrorKind::$kind, message)
                }
            )*
        }
    };
}

constructors! {
    not_found => NotFound,
    already_exists => AlreadyExists,
    invalid_argument => InvalidArgument,
    schema_mismatch => SchemaMismatch,
    overlap => Overlap,
    conflict => Conflict,
    commit_unknown => CommitUnknown,
    corrupt => Corrupt,
    unsupported_format => UnsupportedFormat,
    limit_exceeded => LimitExceeded,
    cancelled => Cancelled,
}

impl Error {
    /// An error of kind [`ErrorKind::Internal`]: what was found that cannot be.
    pub fn internal(found: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, format!("{found}; this is a defect of tstable, please report it"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tstable {}: {}", self.0.kind.label(), self.0.message)?;
        for (i, (key, value)) in self.0.context.iter().enumerate() {
            write!(f, "{}{key} {value}", if i == 0 { " (" } else { ", " })?;
        }
        if !self.0.context.is_empty() {
            f.write_str(")")?;
        }
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
