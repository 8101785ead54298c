//! Where the addresses of tables and files lead: the one place that decides what is a path of this machine and what is in an object
//! store. `~` and `file:` mean what they mean to DuckDB; any other address is refused, never taken for a local name.

use std::path::Path;

use tstable_core::{
    Error, Result,
    log::LOG_DIRECTORY,
    storage::{is_remote, is_remote_file, local::roots::stranger},
};

use super::access::{self, Sources, check_directory, check_file};
use crate::host::{Args, Session};

impl Args {
    /// The first argument: the table's directory, or its address in a store, without trailing slashes.
    pub(crate) fn root(&self, session: &dyn Session) -> Result<String> {
        root(session, "root", &self.text_at(0, "root")?)
    }

    /// A positional argument of one file or a list of them, here, in a store or on the web, patterns included.
    pub(crate) fn files_at(&self, session: &dyn Session, index: usize, name: &'static str) -> Result<Sources> {
        let texts = self.texts_at(index, name)?;
        let patterns = texts.iter().map(|address| source(session, name, address)).collect::<Result<_>>()?;
        Ok(Sources { name, patterns, access: access::of(session) })
    }

    /// A named file, here or in a store.
    pub(crate) fn file(&self, session: &dyn Session, name: &str) -> Result<Option<String>> {
        let reached = |address: String| {
            let path = place(session, name, &address)?;
            check_file(&access::of(session), name, &path).map(|()| path)
        };
        self.text(name)?.map(reached).transpose()
    }

    /// A named file of this machine.
    pub(crate) fn path(&self, session: &dyn Session, name: &str) -> Result<Option<String>> {
        self.text(name)?.map(|address| local_file(session, name, &address)).transpose()
    }
}

/// A table's directory as a local path, or its address in a store, without trailing slashes.
pub(crate) fn root(session: &dyn Session, name: &str, address: &str) -> Result<String> {
    let path = place(session, name, address)?;
    check_directory(&access::of(session), name, &path)?;
    let trimmed = path.trim_end_matches('/');
    if is_remote(&path) && !is_remote(trimmed) {
        // There is nothing behind the slashes, as whoever opens it will say.
        return Ok(path);
    }
    Ok(if trimmed.is_empty() { path } else { trimmed.to_owned() })
}

/// The address behind `tstable:`. DuckDB itself wants its extension for a store before it lets anybody COPY to an address there, and does
/// not know one that begins so.
pub(crate) fn beyond_duckdb(path: &str) -> &str {
    path.strip_prefix("tstable:").filter(|address| is_remote(address)).unwrap_or(path)
}

/// An address in a store as it is, or the local path that another one stands for, whether or not the session may reach it.
///
/// # Errors
/// As [`local`].
fn place(session: &dyn Session, name: &str, address: &str) -> Result<String> {
    if is_remote(address) { Ok(address.to_owned()) } else { local(session, name, address) }
}

/// As [`place`], for what is loaded, which may be on the web too.
fn source(session: &dyn Session, name: &str, address: &str) -> Result<String> {
    let path = if is_remote_file(address) { address.to_owned() } else { local(session, name, address)? };
    check_file(&access::of(session), name, &path).map(|()| path)
}

/// A directory of this machine.
///
/// # Errors
/// As [`local`]; `InvalidArgument` for one that the session may not reach.
pub(crate) fn local_directory(session: &dyn Session, name: &str, address: &str) -> Result<String> {
    let path = local(session, name, address)?;
    check_directory(&access::of(session), name, &path).map(|()| path)
}

/// A file of this machine.
///
/// # Errors
/// As [`local_directory`].
pub(crate) fn local_file(session: &dyn Session, name: &str, address: &str) -> Result<String> {
    let path = local(session, name, address)?;
    check_file(&access::of(session), name, &path).map(|()| path)
}

/// The local path that an address stands for, whether or not the session may reach it.
///
/// # Errors
/// `InvalidArgument` for an address of anything but this machine, for the home directory of another user, and for `~` where
/// the host does not tell which directory it stands for.
pub(crate) fn local(session: &dyn Session, name: &str, address: &str) -> Result<String> {
    if address.is_empty() {
        return Err(refusal(name, address, "is not a path"));
    }
    if let Some(path) = of_file_url(address) {
        return path.map(str::to_owned).ok_or_else(|| {
            refusal(
                name,
                address,
                "names another machine; write 'file:///path', or the path alone, for a file of this one",
            )
        });
    }
    if let Some(scheme) = scheme(address) {
        let what = if is_remote(address) {
            "is in an object store, and has to be a path of this machine here".to_owned()
        } else {
            format!(
                "is an address of {scheme}://, which tstable does not read or write; give a local path, or s3://, gs:// or az://"
            )
        };
        return Err(refusal(name, address, &what));
    }
    match address.strip_prefix('~') {
        None => Ok(address.to_owned()),
        Some(rest) if rest.is_empty() || rest.starts_with(std::path::is_separator) => {
            Ok(format!("{}{rest}", home(session, name, address)?))
        }
        Some(_) => Err(refusal(
            name,
            address,
            "begins with a ~ that is not followed by a slash; write './~...' for a name that begins so, or the path in full",
        )),
    }
}

/// Refuses to make a table in a directory that is in use for something else, so that a wrong path does no harm.
///
/// # Errors
/// `AlreadyExists` naming something that is there; `InvalidArgument` for the root of the file system.
pub(crate) fn check_vacant(root: &str, way_out: &str) -> Result<()> {
    if is_remote(root) {
        // A key is in nobody's way: what else begins with the same is left alone.
        return Ok(());
    }
    let directory = Path::new(root);
    match stranger(directory)? {
        Some(name) if !directory.join(LOG_DIRECTORY).is_dir() => Err(Error::already_exists(format!(
            "'{root}' is a directory with other things in it, such as '{name}', and no table; name a directory of the \
             table's own, or {way_out}"
        ))),
        _ => Ok(()),
    }
}

/// The path in `file:/path`, `file:///path` or `file://localhost/path`, as DuckDB reads it; none inside for another host.
fn of_file_url(address: &str) -> Option<Option<&str>> {
    let (scheme, rest) = address.split_at_checked("file:".len())?;
    if !scheme.eq_ignore_ascii_case("file:") || !rest.starts_with('/') {
        return None;
    }
    let Some(authority) = rest.strip_prefix("//") else { return Some(Some(rest)) };
    let path = authority.strip_prefix("localhost").unwrap_or(authority);
    // A drive's letter follows the slash on Windows, and is the path's beginning there.
    let begins = if cfg!(windows) { path.strip_prefix('/') } else { Some(path).filter(|path| path.starts_with('/')) };
    Some(begins)
}

/// The scheme of an address like `s3://bucket/name`.
fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once("://")?;
    let lettered = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    (lettered && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))).then_some(scheme)
}

/// The home directory as DuckDB has it: its setting, or that of the operating system.
fn home(session: &dyn Session, name: &str, address: &str) -> Result<String> {
    let set = session.text_setting("home_directory").ok_or_else(|| {
        refusal(
            name,
            address,
            "begins with ~, and this version of DuckDB does not tell an extension which directory that is; write it in full",
        )
    })?;
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let home = Some(set).filter(|set| !set.is_empty()).or_else(|| std::env::var(variable).ok());
    home.filter(|home| !home.is_empty()).ok_or_else(|| {
        refusal(
            name,
            address,
            "begins with ~, and there is no home directory; SET home_directory, or write the path in full",
        )
    })
}

fn refusal(name: &str, address: &str, why: &str) -> Error {
    Error::invalid_argument(format!("{name} := '{}' {why}", address.replace('\'', "''")))
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
