//! Vectors of the v1 C API, and the chunk of them that a table function fills.

use std::mem::size_of;

use arrow::array::ArrayRef;
use libduckdb_sys as ffi;
use tstable_core::{Error, Result, prune::expr::Constant, schema::ColumnType};

use super::{
    super::{
        CHUNK_ROWS, Output, constant,
        vector::{RawVector, Source, StringTable, StringValue, write, write_nulls},
    },
    types::{LogicalType, TIME_NS},
};

/// A vector that DuckDB lent for one callback.
#[derive(Clone, Copy)]
pub(super) struct Vector(ffi::duckdb_vector);

impl Vector {
    /// # Safety
    /// `raw` is null or a vector that stays alive and is this thread's as long as the result is used.
    pub(super) unsafe fn new(raw: ffi::duckdb_vector) -> Result<Self> {
        if raw.is_null() { Err(missing("a vector")) } else { Ok(Self(raw)) }
    }
}

fn missing(what: &str) -> Error {
    Error::internal(format!("DuckDB gave no {what} to write to"))
}

impl RawVector for Vector {
    fn data(self) -> Result<*mut u8> {
        // SAFETY: the vector is alive.
        let data = unsafe { ffi::duckdb_vector_get_data(self.0) }.cast::<u8>();
        if data.is_null() { Err(missing("memory")) } else { Ok(data) }
    }

    fn validity(self) -> Result<*mut u64> {
        // SAFETY: the vector is alive, and the mask exists once it has been made writable.
        let words = unsafe {
            ffi::duckdb_vector_ensure_validity_writable(self.0);
            ffi::duckdb_vector_get_validity(self.0)
        };
        if words.is_null() { Err(missing("validity mask")) } else { Ok(words) }
    }

    fn counts_nanoseconds(self) -> bool {
        // SAFETY: the vector is alive.
        LogicalType::own(unsafe { ffi::duckdb_vector_get_column_type(self.0) }).id() == TIME_NS
    }

    fn elements(self, count: usize) -> Result<Self> {
        let count = count as u64;
        // SAFETY: the vector is a live list or map.
        unsafe {
            if ffi::duckdb_list_vector_reserve(self.0, count) != ffi::DuckDBSuccess
                || ffi::duckdb_list_vector_set_size(self.0, count) != ffi::DuckDBSuccess
            {
                return Err(missing("room for the elements of a list"));
            }
            Self::new(ffi::duckdb_list_vector_get_child(self.0))
        }
    }

    fn field(self, index: usize, _rows: usize) -> Result<Self> {
        // SAFETY: the vector is a live struct, whose fields have room for as many rows as itself.
        unsafe { Self::new(ffi::duckdb_struct_vector_get_child(self.0, index as u64)) }
    }

    /// The v1 API has no call for memory, but it copies a string that is set into memory of the vector's own. So one of
    /// spaces is set, and its memory is used for any strings once its row has its value back.
    fn allocate(self, bytes: usize) -> Result<*mut u8> {
        let row = self.data()?.cast::<StringValue>();
        let mut long = Vec::new();
        let blank = BLANK.get(..bytes).unwrap_or_else(|| {
            long.resize(bytes, b' ');
            &long
        });
        // SAFETY: the vector is alive and holds strings, of which it has at least one row; DuckDB copies the blank and
        // leaves the copy's address in the row.
        let memory = unsafe {
            let before = row.read_unaligned();
            ffi::duckdb_vector_assign_string_element_len(self.0, 0, blank.as_ptr().cast(), blank.len() as u64);
            let memory = row.read_unaligned().memory(bytes);
            row.write_unaligned(before);
            memory
        };
        memory.ok_or_else(|| missing("memory for a string"))
    }
}

/// What short-lived strings are made of until their bytes are written.
static BLANK: [u8; 4096] = [b' '; 4096];

/// The chunk that one call of a table function fills.
pub(super) struct Chunk<'a> {
    raw: ffi::duckdb_data_chunk,
    tables: &'a mut [StringTable],
    written: usize,
}

impl<'a> Chunk<'a> {
    /// A chunk of as many columns as there are `tables`.
    ///
    /// # Safety
    /// `raw` is a chunk with at least that many columns, alive and this thread's as long as the result is used.
    pub(super) unsafe fn new(raw: ffi::duckdb_data_chunk, tables: &'a mut [StringTable]) -> Self {
        Self { raw, tables, written: 0 }
    }

    /// Ends the chunk at `rows` rows.
    ///
    /// # Errors
    /// `InvalidArgument` when a column of a chunk with rows was not written.
    pub(super) fn finish(self, rows: usize) -> Result<()> {
        if rows > CHUNK_ROWS || (rows > 0 && self.written < self.tables.len()) {
            return Err(Error::internal(format!(
                "{rows} rows came with {} of {} columns",
                self.written,
                self.tables.len()
            )));
        }
        // SAFETY: the chunk is alive and has room for these rows.
        unsafe { ffi::duckdb_data_chunk_set_size(self.raw, rows as u64) };
        Ok(())
    }

    fn column(&mut self, column: usize, len: usize) -> Result<(Vector, &mut StringTable)> {
        if len > CHUNK_ROWS {
            return Err(Error::limit_exceeded(format!("{len} rows do not fit a chunk of {CHUNK_ROWS}")));
        }
        let columns = self.tables.len();
        let table = self
            .tables
            .get_mut(column)
            .ok_or_else(|| Error::internal(format!("there is no column {column} among {columns}")))?;
        self.written = self.written.saturating_add(1);
        // SAFETY: the chunk is alive and has this column.
        let vector = unsafe { Vector::new(ffi::duckdb_data_chunk_get_vector(self.raw, column as u64))? };
        Ok((vector, table))
    }
}

impl Output for Chunk<'_> {
    fn write(&mut self, column: usize, ty: &ColumnType, array: &ArrayRef, offset: usize, len: usize) -> Result<()> {
        let (vector, table) = self.column(column, len)?;
        write(vector, ty, Source::new(array.as_ref(), offset, len)?, Some(table))
    }

    fn write_nulls(&mut self, column: usize, ty: &ColumnType, len: usize) -> Result<()> {
        let (vector, _) = self.column(column, len)?;
        write_nulls(vector, ty, len)
    }

    fn write_constant(&mut self, column: usize, ty: &ColumnType, value: &Constant, len: usize) -> Result<()> {
        if *value == Constant::Null {
            return self.write_nulls(column, ty, len);
        }
        let (vector, _) = self.column(column, len)?;
        let array = constant::array(ty, value, len)?;
        write(vector, ty, Source::new(array.as_ref(), 0, len)?, Some(&mut StringTable::default()))
    }
}

/// The row counts of the C API are 64 bits wide; no address space is wider.
const _: () = assert!(size_of::<usize>() <= size_of::<u64>());
