//! `phieu serve`, `phieu migrate`.

use std::net::TcpListener;

use super::{Failure, open, out};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Create, Db};
use crate::server::{Service, StartError};
use crate::telemetry;

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    telemetry::start(config.log_format);
    let db = open(config)?;
    let listener = TcpListener::bind(config.listen).map_err(|e| StartError::Listen(config.listen, e))?;
    serve(config, &db, listener, |port| {
        tracing::info!(port, "ready");
        Ok(())
    })
}

/// Serves on a bound listener; `ready` is told the port before the first request.
pub(super) fn serve(
    config: &Config,
    db: &Db,
    listener: TcpListener,
    ready: impl FnOnce(u16) -> Result<(), Failure>,
) -> Result<(), Failure> {
    actix_web::rt::System::new().block_on(async {
        let service = Service::build(config, db, &super::entropy(), listener)?;
        ready(service.port())?;
        service.run_until_stopped().await?;
        Ok(())
    })
}

pub(super) fn migrate(config: &Config) -> Result<(), Failure> {
    let db = Db::open(&config.database_url, 2, Create::Yes, Clock::Database)?;
    let ran = db.migrate()?;
    if ran.is_empty() {
        out::line("the schema is up to date");
    }
    for name in ran {
        out::line(format_args!("migrated {name}"));
    }
    Ok(())
}
