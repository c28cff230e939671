//! Tickets in Redis: of each scope a hash of its records, and one that says who may change it and what was written last.

use std::time::Duration;

use bytes::Bytes;

use super::{RedisStore, millis, read, script};
use crate::error::StoreError;
use crate::tickets::{Batch, Commit, Committed, Opened, Records, Scope, Stamp, TicketsError, Written};

/// Tickets that nobody touches for so long are gone. A register whose scope has expired writes it anew.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);

/// Records that are read in one step, more or less.
const READ: usize = 500;

/// Records that are written in one step when all are, and the bytes after which a step ends. What goes in has room on the
/// stack of a script.
const WRITE: usize = 500;
const WRITE_BYTES: usize = 1024 * 1024;

/// How often all records are read again when a server took over in between.
const READS: u32 = 5;

impl RedisStore {
    pub(crate) async fn open_tickets(&self, scope: &Scope, fence: u64) -> Result<Opened, TicketsError> {
        let [keeper, tickets] = self.keys.tickets(scope);
        let (fence, ttl) = (fence.to_string(), millis(KEEP));
        for _ in 0..READS {
            let arguments = [fence.as_bytes(), ttl.as_bytes()];
            let opened = self.commands.run(&script::TICKETS_OPEN, &[&keeper], &arguments).await?;
            let (opening, number) = read::<Option<(u64, u64)>>(opened)?.ok_or(TicketsError::Superseded)?;
            let records = self.read_tickets(&tickets).await?;
            let mut command = redis::cmd("HLEN");
            command.arg(&tickets);
            // A scan that was begun on one server and ended on another may have missed some.
            if read::<usize>(self.commands.query(&tickets, &command).await?)? == records.len() {
                let records = records.into_iter().collect();
                return Ok(Opened { opening, number, records });
            }
        }
        Err(StoreError::Unreadable("tickets that change while they are read").into())
    }

    async fn read_tickets(&self, key: &str) -> Result<Records, StoreError> {
        let (mut records, mut cursor) = (Records::new(), "0".to_owned());
        loop {
            let mut command = redis::cmd("HSCAN");
            command.arg(key).arg(&cursor).arg("COUNT").arg(READ);
            let (next, page): (String, Vec<(String, Vec<u8>)>) =
                read(self.commands.query(key, &command).await?)?;
            records.extend(page.into_iter().map(|(key, value)| (key.into(), Bytes::from(value))));
            if next == "0" {
                return Ok(records);
            }
            cursor = next;
        }
    }

    pub(crate) async fn write_tickets(&self, scope: &Scope, batch: &Batch) -> Result<Written, StoreError> {
        let [keeper, tickets] = self.keys.tickets(scope);
        let (stamp, ttl) = (stamped(batch.stamp), millis(KEEP));
        let count = |commit: &Commit| {
            [commit.take.len(), commit.remove.len(), commit.put.len()].map(|count| count.to_string())
        };
        let counts: Vec<[String; 3]> = batch.commits.iter().map(count).collect();
        let mut arguments: Vec<&[u8]> = Vec::with_capacity(5 + 6 * counts.len());
        arguments.extend(stamp.each_ref().map(String::as_bytes));
        arguments.push(ttl.as_bytes());
        for (commit, counts) in batch.commits.iter().zip(&counts) {
            arguments.extend(counts.each_ref().map(String::as_bytes));
            arguments.extend(commit.take.iter().chain(&commit.remove).map(|key| key.as_bytes()));
            arguments.extend(commit.put.iter().flat_map(|(key, value)| [key.as_bytes(), &value[..]]));
        }
        let answer = self.commands.run(&script::TICKETS_WRITE, &[&keeper, &tickets], &arguments).await?;
        let answer: String = read(answer)?;
        match &*answer {
            "superseded" => Ok(Written::Superseded),
            "behind" => Ok(Written::Behind),
            each => each.bytes().map(outcome).collect::<Result<_, _>>().map(Written::Done),
        }
    }

    /// Writes all records as they were before the batch with this stamp. Says whether nobody else has the scope.
    pub(crate) async fn write_tickets_anew(
        &self,
        scope: &Scope,
        stamp: Stamp,
        records: &Records,
    ) -> Result<bool, StoreError> {
        if !self.write_anew_step(scope, stamp, &[b"begin"]).await? {
            return Ok(false);
        }
        let mut page: Vec<&[u8]> = vec![b"page"];
        let mut bytes = 0;
        for (key, value) in records {
            page.extend([key.as_bytes(), value]);
            bytes += key.len() + value.len();
            if page.len() > 2 * WRITE || bytes > WRITE_BYTES {
                if !self.write_anew_step(scope, stamp, &page).await? {
                    return Ok(false);
                }
                page.truncate(1);
                bytes = 0;
            }
        }
        if page.len() > 1 && !self.write_anew_step(scope, stamp, &page).await? {
            return Ok(false);
        }
        self.write_anew_step(scope, stamp, &[b"end"]).await
    }

    /// Says whether nobody else has the scope.
    async fn write_anew_step(&self, scope: &Scope, stamp: Stamp, step: &[&[u8]]) -> Result<bool, StoreError> {
        let [keeper, tickets] = self.keys.tickets(scope);
        let (stamp, ttl) = (stamped(stamp), millis(KEEP));
        let mut arguments: Vec<&[u8]> = stamp.each_ref().map(String::as_bytes).to_vec();
        arguments.push(ttl.as_bytes());
        arguments.extend(step);
        let answer = self.commands.run(&script::TICKETS_ANEW, &[&keeper, &tickets], &arguments).await?;
        match &*read::<String>(answer)? {
            "written" => Ok(true),
            "superseded" => Ok(false),
            "behind" => Err(StoreError::Unreadable("tickets that were lost again")),
            _ => Err(StoreError::Unreadable("an answer about tickets")),
        }
    }
}

fn stamped(stamp: Stamp) -> [String; 4] {
    [stamp.fence, stamp.prior, stamp.opening, stamp.number].map(|number| number.to_string())
}

fn outcome(letter: u8) -> Result<Committed, StoreError> {
    match letter {
        b'd' => Ok(Committed::Done),
        b'l' => Ok(Committed::Lost),
        _ => Err(StoreError::Unreadable("an answer about tickets")),
    }
}
