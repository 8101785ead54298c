//! The files in which AWS's own tools keep credentials and settings: `~/.aws/credentials` and `~/.aws/config`.

use std::{
    collections::HashMap,
    env,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    storage::local::read_whole,
};

/// What a profile says.
#[derive(Default)]
pub(super) struct Profile(HashMap<String, String>);

impl Profile {
    /// The profile that `AWS_PROFILE` names, or the one named `default`; empty when there is no such file.
    ///
    /// # Errors
    /// `InvalidArgument` when `AWS_PROFILE` names one that neither file has.
    pub(super) fn read() -> Result<Self> {
        let asked = env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        let name = asked.as_deref().unwrap_or("default");
        let credentials = place("AWS_SHARED_CREDENTIALS_FILE", "credentials").and_then(|path| text(&path));
        let config = place("AWS_CONFIG_FILE", "config").and_then(|path| text(&path));
        let of_config = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let found = [
            config.as_deref().and_then(|text| section(text, &of_config)),
            credentials.as_deref().and_then(|text| section(text, name)),
        ];
        if asked.is_some() && found.iter().all(Option::is_none) {
            return Err(Error::invalid_argument(format!(
                "AWS_PROFILE names the profile '{name}', which is neither in ~/.aws/credentials nor in ~/.aws/config"
            )));
        }
        // What the file of credentials says goes before what the other one says.
        Ok(Self(found.into_iter().flatten().flatten().collect()))
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

/// What the two files hold, to notice that they were changed.
pub(super) fn contents() -> String {
    let files = [("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")];
    files.iter().filter_map(|(variable, name)| text(&place(variable, name)?)).collect()
}

fn place(variable: &str, name: &str) -> Option<PathBuf> {
    let set = env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    set.or_else(|| {
        Some(Path::new(&env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?).join(".aws").join(name))
    })
}

fn text(path: &Path) -> Option<String> {
    String::from_utf8(read_whole(path).ok()?).ok()
}

/// The keys of one section; none when the file does not have it.
fn section(text: &str, name: &str) -> Option<HashMap<String, String>> {
    let mut found = None;
    let mut inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(title) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = title.trim() == name;
            if inside {
                found.get_or_insert_with(HashMap::new);
            }
        } else if inside
            && !line.starts_with([' ', '\t', '#', ';'])
            && let (Some((key, value)), Some(found)) = (trimmed.split_once('='), found.as_mut())
        {
            found.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
