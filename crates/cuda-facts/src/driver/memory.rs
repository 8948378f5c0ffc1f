//! Memory of the device, a page at a time, and pages of the host that are registered with the driver.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, io, process};

use syncpoint_base::page as base;

use super::Driver;
use super::calls::Said;
use super::handle::{Address, Block, Stream};
use super::kept::Reached;
use crate::answer::{Asked, Unasked};

/// What each block and each page of this program holds.
const BYTES: usize = 4096;

/// Registered memory that has an address for the device.
const MAPPED: u32 = 2;

#[repr(C, align(4096))]
#[derive(Debug)]
struct Words([AtomicU64; BYTES / 8]);

/// A page of the host, never freed: a device may come to it late.
#[derive(Debug)]
pub(crate) struct Page {
    words: &'static [AtomicU64],
    /// What another process finds it by, where one may.
    name: String,
}

impl Page {
    /// A page of zeros, of which no driver knows.
    pub(crate) fn new() -> Self {
        let words = Box::leak(Box::new(Words([const { AtomicU64::new(0) }; BYTES / 8])));
        Self { words: &words.0, name: String::new() }
    }

    /// A page of zeros that another process can have too, as the backend shares them.
    pub(crate) fn shared() -> Asked<Self> {
        let name = format!("/dev/shm/syncpoint-facts-{}", process::id());
        let made = base::Page::make(Path::new(&name)).map_err(|error| refused(&error))?;
        Ok(Self::kept(made, name))
    }

    /// The page that another process shares under this name, which it has no more then.
    pub(crate) fn of_another_process(name: &str) -> Asked<Self> {
        let opened = base::Page::open(Path::new(name)).map_err(|error| refused(&error))?;
        fs::remove_file(name).map_err(|error| refused(&error))?;
        Ok(Self::kept(opened, name.to_owned()))
    }

    fn kept(page: base::Page, name: String) -> Self {
        let page: &'static base::Page = Box::leak(Box::new(page));
        Self { words: page.numbers(), name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn first(&self) -> &'static AtomicU64 {
        &self.words[0]
    }

    /// Whether each of its words is this.
    pub(crate) fn is_all(&self, word: u64) -> bool {
        // Acquire: pairs with the writes of the device, which has come behind them.
        self.words.iter().all(|each| each.load(Ordering::Acquire) == word)
    }

    pub(crate) fn set_all(&self, word: u64) {
        // Release: pairs with the reads of the device.
        self.words.iter().for_each(|each| each.store(word, Ordering::Release));
    }

    fn reached(&self) -> Reached {
        Reached::from(self.first())
    }
}

fn refused(error: &io::Error) -> Unasked {
    Unasked::Refused(format!("the page: {error}"))
}

impl Driver {
    pub(crate) fn register(&self, page: &Page) -> Asked<Said> {
        self.host_register(page.reached(), BYTES, MAPPED)
    }

    pub(crate) fn unregister(&self, page: &Page) -> Asked<Said> {
        self.host_unregister(page.reached())
    }

    /// Where the device finds a page.
    pub(crate) fn address_of(&self, page: &Page) -> Asked<Address> {
        let mut address = Address::NULL;
        self.host_device_address(&mut address, page.reached(), 0)?.needed()?;
        Ok(address)
    }

    pub(crate) fn block(&self) -> Asked<Block> {
        let mut block = Block::default();
        self.block_allocate(&mut block, BYTES)?.needed()?;
        Ok(block)
    }

    pub(crate) fn block_in_order(&self, stream: &Stream) -> Asked<Block> {
        let mut block = Block::default();
        self.block_allocate_in_order(&mut block, BYTES, stream)?.needed()?;
        Ok(block)
    }

    pub(crate) fn fill_block(&self, block: &Block, value: u8, stream: &Stream) -> Asked<()> {
        self.fill(block, value, BYTES, stream)?.needed()
    }

    pub(crate) fn to_device(&self, page: &Page, block: &Block, stream: &Stream) -> Asked<()> {
        self.copy_in(block, page.reached(), BYTES, stream)?.needed()
    }

    pub(crate) fn to_host(&self, block: &Block, page: &Page, stream: &Stream) -> Asked<()> {
        self.copy_out(page.reached(), block, BYTES, stream)?.needed()
    }

    /// Copies a page to a block by the one function that finds out for itself where both lie.
    pub(crate) fn found_to_device(&self, page: &Page, block: &Block, stream: &Stream) -> Asked<()> {
        self.copy_from_page(block, self.address_of(page)?, BYTES, stream)?.needed()
    }

    /// The other way.
    pub(crate) fn found_to_host(&self, block: &Block, page: &Page, stream: &Stream) -> Asked<()> {
        self.copy_to_page(self.address_of(page)?, block, BYTES, stream)?.needed()
    }

    pub(crate) fn fill_page(&self, page: &Page, value: u8, stream: &Stream) -> Asked<()> {
        self.fill_at(self.address_of(page)?, value, BYTES, stream)?.needed()
    }

    pub(crate) fn over(&self, source: &Block, target: &Block, stream: &Stream) -> Asked<()> {
        self.copy_over(target, source, BYTES, stream)?.needed()
    }
}
