use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use crate::merge::merge;
use crate::schema::Schema;
use crate::source::arguments::{self, Argument};
use crate::source::{Found, dot_env, environment, file, key_folder};
use crate::{
    Catalog, Draft, Error, Key, Loaded, Origin, Problem, Settings, deprecation, read, references,
};

/// Says where settings come from, and reads them, any number of times.
///
/// From the weakest to the strongest: defaults in code, variables of other tools, files and folders
/// in the order in which they were named, `.env`, environment, `--set`. Tables merge; everything else replaces.
///
/// The environment is handed over once, at the start: a later reading sees the same variables, so
/// that a reload depends on the files alone.
#[derive(Clone)]
pub struct Loader<T> {
    files: Vec<FileSource>,
    dot_env: Option<PathBuf>,
    prefix: String,
    variables: Vec<(String, String)>,
    unreadable: Vec<String>,
    arguments: Vec<Argument>,
    settings: PhantomData<fn() -> T>,
}

#[derive(Clone, Debug)]
enum FileSource {
    Required(PathBuf),
    Optional(PathBuf),
    Folder(PathBuf),
    KeyFolder(PathBuf),
}

impl<T: Settings> Loader<T> {
    /// Defaults only.
    #[must_use]
    pub fn new() -> Self {
        Self {
            files: Vec::new(),
            dot_env: None,
            prefix: String::new(),
            variables: Vec::new(),
            unreadable: Vec::new(),
            arguments: Vec::new(),
            settings: PhantomData,
        }
    }

    /// Reads a file (`.toml`, `.json`, `.yaml`, `.yml`) or, if the path is a folder, every such file
    /// in it by name. It must exist.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let source =
            if path.is_dir() { FileSource::Folder(path) } else { FileSource::Required(path) };
        self.files.push(source);
        self
    }

    /// Reads a file if it exists. What exists and cannot be read is a mistake all the same.
    #[must_use]
    pub fn with_optional_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(FileSource::Optional(path.into()));
        self
    }

    /// Reads a folder in which each file is a key and its content the value, as mounted Secrets
    /// and ConfigMaps are.
    #[must_use]
    pub fn with_key_folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(FileSource::KeyFolder(path.into()));
        self
    }

    /// Reads a `.env` file if it exists. Its variables are named as those of the environment, so
    /// the prefix given to [`with_environment`](Self::with_environment) counts for it too.
    #[must_use]
    pub fn with_dot_env(mut self, path: impl Into<PathBuf>) -> Self {
        self.dot_env = Some(path.into());
        self
    }

    /// Reads variables that begin with a prefix and an underscore, and those that fields name
    /// whole. `MIRA_SERVER_BIND_ADDRESS` reaches `server.bind_address`.
    #[must_use]
    pub fn with_environment(
        mut self,
        prefix: impl Into<String>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        self.prefix = prefix.into();
        self.variables = variables.into_iter().collect();
        self
    }

    /// Names variables whose values are no UTF-8. Those that belong to the settings are mistakes.
    #[must_use]
    pub fn with_unreadable_variables(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.unreadable = names.into_iter().collect();
        self
    }

    /// Sets one key, as `--set a.b=c` does.
    #[must_use]
    pub fn with_set(mut self, setting: impl Into<String>) -> Self {
        self.arguments.push(Argument { flag: None, setting: setting.into() });
        self
    }

    /// Sets one key for a flag of its own, such as `--hot-reload` for `config.hot_reload=true`.
    #[must_use]
    pub fn with_flag(mut self, flag: &'static str, setting: impl Into<String>) -> Self {
        self.arguments.push(Argument { flag: Some(flag), setting: setting.into() });
        self
    }

    /// The files and folders that a watcher has to look at.
    pub fn paths(&self) -> Vec<PathBuf> {
        let path = |source: &FileSource| match source {
            FileSource::Required(path)
            | FileSource::Optional(path)
            | FileSource::Folder(path)
            | FileSource::KeyFolder(path) => path.clone(),
        };
        self.files.iter().map(path).chain(self.dot_env.clone()).collect()
    }

    /// All settings that can be written, with their variables.
    pub fn catalog(&self) -> Catalog {
        Catalog::of::<T>(&self.prefix)
    }

    /// The variables that were handed over, for backends that read secrets from them.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Reads and merges all sources.
    ///
    /// # Errors
    /// [`Error::Refused`] with every mistake of every source.
    pub fn read(&self) -> Result<Draft<T>, Error> {
        let schema = Schema::of::<T>();
        let (mut layers, mut problems, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
        let mut take = |found: Result<Found, Problem>| match found {
            Ok(found) => {
                layers.push(found.node);
                problems.extend(found.problems);
                warnings.extend(found.warnings);
            }
            Err(problem) => problems.push(problem),
        };
        take(Ok(environment::fallbacks(&self.variables, schema)));
        self.files.iter().for_each(|source| source.read(schema, &mut take));
        if let Some(path) = &self.dot_env
            && let Some(found) = dot_env::read(path, &self.prefix, schema).transpose()
        {
            take(found);
        }
        let variables = self.variables.iter().map(|(name, value)| {
            (name.clone(), value.clone(), Origin::Variable { name: name.clone() })
        });
        take(Ok(environment::read(variables, &self.prefix, schema)));
        let unreadable = environment::unreadable(&self.unreadable, &self.prefix, schema);
        unreadable.into_iter().for_each(|problem| take(Err(problem)));
        take(Ok(arguments::read(&self.arguments, schema)));

        if schema.has_former_names() {
            for layer in &mut layers {
                deprecation::settle(layer, &schema.view(), &Key::root(), &mut warnings);
            }
        }
        let merged = merge(layers);
        let is_whole = problems.is_empty();
        let (references, malformed) = references::find(&merged);
        problems.extend(malformed);
        if problems.is_empty() {
            return Ok(Draft::new(schema, merged, references, warnings));
        }
        // What did arrive has mistakes of its own, which are worth telling now, but for names that
        // may be missing only because a source could not be read.
        let mut more = read::settings::<T>(&merged.value, &merged, schema, &references)
            .err()
            .unwrap_or_default();
        more.retain(|problem| is_whole || problem.origin.is_some());
        Problem::add_new(&mut problems, more);
        Err(Error::refused(problems))
    }

    /// Reads settings in which no secret is referred to.
    ///
    /// # Errors
    /// [`Error::Refused`] with every mistake; a reference is one.
    pub fn load(&self) -> Result<Loaded<T>, Error> {
        self.read()?.build(|_| Err("no backend for secrets is at hand".into()))
    }
}

impl<T: Settings> Default for Loader<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Names of variables only: their values may be secrets.
impl<T> fmt::Debug for Loader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Loader")
            .field("files", &self.files)
            .field("variables", &names)
            .finish_non_exhaustive()
    }
}

impl FileSource {
    fn read(&self, schema: &Schema, take: &mut dyn FnMut(Result<Found, Problem>)) {
        match self {
            Self::Required(path) => {
                take(
                    file::read(path)
                        .and_then(|node| node.ok_or_else(|| missing(path)))
                        .map(Found::from),
                );
            }
            Self::Optional(path) => {
                file::read(path).map(|node| node.map(Found::from)).transpose().map(take);
            }
            Self::Folder(path) => match file::folder(path) {
                Ok((files, others)) => {
                    if !others.is_empty() {
                        take(Ok(Found::passed_over(path, &others)));
                    }
                    files.into_iter().for_each(|file| Self::Required(file).read(schema, take));
                }
                Err(problem) => take(Err(problem)),
            },
            Self::KeyFolder(path) => take(Ok(key_folder::read(path, schema))),
        }
    }
}

fn missing(path: &Path) -> Problem {
    Problem::of(Origin::WholeFile { path: path.into() }, file::absent(path))
}
