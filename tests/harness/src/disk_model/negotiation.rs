//! The first half of the NBD protocol ("fixed newstyle", proto.md of NetworkBlockDevice/nbd).

use anyhow::{Result, bail};
use std::io::{Read, Write};

const MAGIC: u64 = u64::from_be_bytes(*b"NBDMAGIC");
const OPTION_MAGIC: u64 = u64::from_be_bytes(*b"IHAVEOPT");
const REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
/// Fixed newstyle, and no zeroes after the export's description.
const HANDSHAKE_FLAGS: u16 = 0b11;
/// Flags present, flush is known, trim is known.
const EXPORT_FLAGS: u16 = 1 | 1 << 2 | 1 << 5;
/// Longest option that is read; names are at most this long.
const MOST: u32 = 4096;

/// Options (`NBD_OPT_*`).
mod option {
    pub const EXPORT_NAME: u32 = 1;
    pub const ABORT: u32 = 2;
    pub const INFO: u32 = 6;
    pub const GO: u32 = 7;
}

/// Replies (`NBD_REP_*`).
mod reply {
    pub const ACK: u32 = 1;
    pub const INFO: u32 = 3;
    pub const UNSUPPORTED: u32 = 1 << 31 | 1;
}

/// Agrees on one export of `size` bytes, whatever its name; `false` if the client leaves.
pub fn negotiate(client: &mut (impl Read + Write), size: u64) -> Result<bool> {
    client.write_all(&MAGIC.to_be_bytes())?;
    client.write_all(&OPTION_MAGIC.to_be_bytes())?;
    client.write_all(&HANDSHAKE_FLAGS.to_be_bytes())?;
    let flags = u32::from_be_bytes(read(client)?);
    loop {
        if u64::from_be_bytes(read(client)?) != OPTION_MAGIC {
            bail!("the client does not speak NBD");
        }
        let (option, length) = (u32::from_be_bytes(read(client)?), u32::from_be_bytes(read(client)?));
        if length > MOST {
            bail!("an option of {length} bytes");
        }
        std::io::copy(&mut client.take(length.into()), &mut std::io::sink())?;
        match option {
            option::EXPORT_NAME => {
                client.write_all(&size.to_be_bytes())?;
                client.write_all(&EXPORT_FLAGS.to_be_bytes())?;
                if flags & 2 == 0 {
                    client.write_all(&[0; 124])?;
                }
                return Ok(true);
            }
            option::GO | option::INFO => {
                answer(client, option, reply::INFO, &description(size))?;
                answer(client, option, reply::ACK, &[])?;
                if option == option::GO {
                    return Ok(true);
                }
            }
            option::ABORT => {
                answer(client, option, reply::ACK, &[])?;
                return Ok(false);
            }
            _ => answer(client, option, reply::UNSUPPORTED, &[])?,
        }
    }
}

/// `NBD_INFO_EXPORT` (type 0): size and flags.
fn description(size: u64) -> Vec<u8> {
    [&[0, 0][..], &size.to_be_bytes(), &EXPORT_FLAGS.to_be_bytes()].concat()
}

fn answer(client: &mut impl Write, option: u32, kind: u32, payload: &[u8]) -> Result<()> {
    client.write_all(&REPLY_MAGIC.to_be_bytes())?;
    client.write_all(&option.to_be_bytes())?;
    client.write_all(&kind.to_be_bytes())?;
    client.write_all(&u32::try_from(payload.len())?.to_be_bytes())?;
    client.write_all(payload)?;
    Ok(())
}

/// The next bytes.
pub fn read<const N: usize>(client: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}
