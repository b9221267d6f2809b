use std::path::Path;

use super::{Found, environment, file_problem};
use crate::schema::Schema;
use crate::{Origin, Problem};

/// Reads a `.env` file, whose variables are named as the environment's. `None` if it does not
/// exist. Nothing is put into the process' own environment.
pub(crate) fn read(path: &Path, prefix: &str, schema: &Schema) -> Result<Option<Found>, Problem> {
    let one = |message: String| file_problem(path, message);
    // Read by our own rules first: size, encoding, and a clear error.
    if super::file::text(path).map_err(one)?.is_none() {
        return Ok(None);
    }
    let lines = dotenvy::from_path_iter(path).map_err(|_| one("cannot be read".into()))?;
    let mut variables = Vec::new();
    for line in lines {
        // The error quotes the line, and with it perhaps a secret.
        variables.push(line.map_err(|_| one("has a line that is not `NAME=value`".into()))?);
    }
    let origin = |name: &str| Origin::DotEnv { path: path.to_owned(), variable: name.to_owned() };
    Ok(Some(environment::read(&variables, prefix, schema, &origin)))
}
