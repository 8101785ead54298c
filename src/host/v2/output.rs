//! Vectors of the v2 C API, and the chunk of them that a table function fills.

use std::ptr;

use arrow::array::ArrayRef;
use duckdb_neo::{AsRaw, connection::Context, data_chunk::DataChunkRef, ffi, value::Value};
use tstable_core::{Error, Result, prune::expr::Constant, schema::ColumnType};

use super::{
    super::{
        CHUNK_ROWS, Output, constant,
        vector::{RawVector, Seen, Source, StringTable, View, single_text, write, write_nulls},
    },
    api::call,
    dictionary::Importer,
    value::host_value,
};

/// A vector that DuckDB lent for one callback.
#[derive(Clone, Copy)]
pub(super) struct Vector(ffi::duckdb_v2_vector_handle);

impl Vector {
    /// # Safety
    /// `raw` is a vector that stays alive and is this thread's as long as the result is used.
    pub(super) unsafe fn new(raw: ffi::duckdb_v2_vector_handle) -> Self {
        Self(raw)
    }

    /// The handle, which is no one's to keep.
    pub(super) fn raw(self) -> ffi::duckdb_v2_vector_handle {
        self.0
    }

    pub(super) fn set_size(self, rows: usize) -> Result<()> {
        // SAFETY: the vector is alive.
        unsafe { call!(duckdb_v2_vector_set_size(self.0, rows as u64)) }
    }

    fn child(self, index: usize) -> Result<Self> {
        let mut child = ptr::null_mut();
        // SAFETY: the vector is alive, and so is a child of it.
        unsafe {
            call!(duckdb_v2_vector_get_child(self.0, index as u64, &raw mut child))?;
            Ok(Self::new(child))
        }
    }

    /// Makes the vector `value`, `rows` times.
    fn make_constant(self, value: &Value, rows: usize) -> Result<()> {
        // SAFETY: vector and value are alive; DuckDB copies the value.
        unsafe { call!(duckdb_v2_vector_make_constant(self.0, value.get_raw(), rows as u64)) }
    }

    /// The memory of a vector that is an argument.
    pub(super) fn view(self, rows: usize) -> Result<View> {
        // SAFETY: the vector is alive, and DuckDB fills the view.
        let (view, kind) = unsafe {
            let mut kind = ffi::DUCKDB_V2_VECTOR_TYPE::DUCKDB_V2_VECTOR_TYPE_OTHER;
            call!(duckdb_v2_vector_get_vector_type(self.0, &raw mut kind))?;
            // Sequences and compressed vectors cannot be seen; a selection of zeros is only a standard vector long.
            if kind == ffi::DUCKDB_V2_VECTOR_TYPE::DUCKDB_V2_VECTOR_TYPE_OTHER || rows > CHUNK_ROWS {
                call!(duckdb_v2_vector_flatten(self.0))?;
            }
            let mut view: ffi::duckdb_v2_vector_view = std::mem::zeroed();
            call!(duckdb_v2_vector_get_view(self.0, &raw mut view))?;
            (view, kind)
        };
        let count = usize::try_from(view.count).unwrap_or(0);
        if rows > count && kind != ffi::DUCKDB_V2_VECTOR_TYPE::DUCKDB_V2_VECTOR_TYPE_CONSTANT {
            return Err(Error::internal(format!("an argument has {count} rows of {rows}")));
        }
        Ok(View { data: view.data.cast(), validity: view.validity, selection: view.sel, rows })
    }
}

impl RawVector for Vector {
    fn data(self) -> Result<*mut u8> {
        let mut data = ptr::null_mut();
        // SAFETY: the vector is alive.
        unsafe { call!(duckdb_v2_vector_get_data_mutable(self.0, &raw mut data))? };
        if data.is_null() {
            return Err(Error::internal("DuckDB gave no memory to write to"));
        }
        Ok(data.cast())
    }

    fn validity(self) -> Result<*mut u64> {
        let mut words = ptr::null_mut();
        // SAFETY: the vector is alive.
        unsafe { call!(duckdb_v2_vector_flat_get_validity_mutable(self.0, &raw mut words))? };
        if words.is_null() {
            return Err(Error::internal("DuckDB gave no validity mask to write to"));
        }
        Ok(words)
    }

    /// DuckDB 2.0 has TIME_NS and TIMESTAMPTZ_NS, and columns of nanoseconds are declared as such.
    fn counts_nanoseconds(self) -> bool {
        true
    }

    fn elements(self, count: usize) -> Result<Self> {
        let child = self.child(0)?;
        child.set_size(count)?;
        Ok(child)
    }

    fn field(self, index: usize, rows: usize) -> Result<Self> {
        let child = self.child(index)?;
        child.set_size(rows)?;
        Ok(child)
    }

    fn allocate(self, bytes: usize) -> Result<*mut u8> {
        let mut arena = ptr::null_mut();
        let mut memory = ptr::null_mut();
        // SAFETY: the vector is alive and holds strings, and its arena lives as long as its rows.
        unsafe {
            call!(duckdb_v2_vector_get_arena(self.0, &raw mut arena))?;
            call!(duckdb_v2_arena_allocate(arena, bytes as u64, &raw mut memory))?;
        }
        if memory.is_null() {
            return Err(Error::limit_exceeded(format!("DuckDB gave no {bytes} bytes for strings")));
        }
        Ok(memory)
    }
}

/// A query of more columns than this hands rows on rather than computing with them; flat vectors are then copied faster than
/// dictionary vectors are resolved.
const COMPUTED_COLUMNS: usize = 8;

/// What one thread keeps from chunk to chunk, for the columns of the projection.
#[derive(Debug, Default)]
pub(super) struct Kept {
    tables: Vec<StringTable>,
    seen: Vec<Seen>,
    importer: Option<Importer>,
}

impl Kept {
    /// For this number of columns.
    pub(super) fn new(columns: usize) -> Self {
        let mut kept = Self::default();
        kept.tables.resize_with(columns, StringTable::default);
        if columns <= COMPUTED_COLUMNS {
            kept.seen.resize_with(columns, Seen::default);
        }
        kept
    }
}

/// The chunk that one call of a table function fills.
pub(super) struct Chunk<'a> {
    raw: ffi::duckdb_v2_data_chunk_handle,
    context: &'a Context,
    /// For each column of the projection its vector in the chunk.
    slots: &'a [usize],
    kept: &'a mut Kept,
    written: usize,
}

impl<'a> Chunk<'a> {
    pub(super) fn new(
        chunk: &'a DataChunkRef<'a>,
        context: &'a Context,
        slots: &'a [usize],
        kept: &'a mut Kept,
    ) -> Self {
        // SAFETY: the handle is used within the borrow of the chunk only.
        Self { raw: unsafe { chunk.get_raw() }, context, slots, kept, written: 0 }
    }

    /// Ends the chunk at `rows` rows.
    ///
    /// # Errors
    /// `InvalidArgument` when a column of a chunk with rows was not written.
    pub(super) fn finish(self, rows: usize) -> Result<()> {
        if rows > CHUNK_ROWS || (rows > 0 && self.written < self.slots.len()) {
            return Err(Error::internal(format!(
                "{rows} rows came with {} of {} columns",
                self.written,
                self.slots.len()
            )));
        }
        // DuckDB takes the first vector's size for the chunk's.
        self.vector(0)?.set_size(rows)
    }

    fn vector(&self, slot: usize) -> Result<Vector> {
        let mut vector = ptr::null_mut();
        // SAFETY: the chunk is alive; an index beyond its columns is an error.
        unsafe {
            call!(duckdb_v2_data_chunk_get_vector(self.raw, slot as u64, &raw mut vector))?;
            Ok(Vector::new(vector))
        }
    }

    fn column(&mut self, column: usize, len: usize) -> Result<Vector> {
        if len > CHUNK_ROWS {
            return Err(Error::limit_exceeded(format!("{len} rows do not fit a chunk of {CHUNK_ROWS}")));
        }
        let slot = self
            .slots
            .get(column)
            .ok_or_else(|| Error::internal(format!("there is no column {column} among {}", self.slots.len())))?;
        self.written = self.written.saturating_add(1);
        self.vector(*slot)
    }

    /// Writes a dictionary vector; false when the rows are not such that it pays.
    fn dictionary(
        &mut self,
        column: usize,
        vector: Vector,
        ty: &ColumnType,
        array: &ArrayRef,
        offset: usize,
        len: usize,
    ) -> Result<bool> {
        let Some(seen) = self.kept.seen.get_mut(column).filter(|_| *ty == ColumnType::Varchar) else {
            return Ok(false);
        };
        let Some(distinct) = seen.distinct(array.as_ref(), offset, len) else { return Ok(false) };
        let importer = match &mut self.kept.importer {
            Some(importer) => importer,
            none => none.insert(Importer::new(self.context)?),
        };
        importer.fill(distinct, vector)?;
        Ok(true)
    }

    /// Writes a constant vector; false when the constant has no direct value.
    fn constant(&self, vector: Vector, ty: &ColumnType, value: &Constant, len: usize) -> Result<bool> {
        let Some(value) = host_value(self.context, ty, value)? else { return Ok(false) };
        vector.make_constant(&value, len)?;
        Ok(true)
    }
}

impl Output for Chunk<'_> {
    fn write(&mut self, column: usize, ty: &ColumnType, array: &ArrayRef, offset: usize, len: usize) -> Result<()> {
        let vector = self.column(column, len)?;
        // A run of one string across the chunk: grouping and comparing then look at a single value.
        let text = single_text(array.as_ref(), offset, len).filter(|_| *ty == ColumnType::Varchar);
        if let Some(text) = text
            && self.constant(vector, ty, &Constant::Text(text.to_owned()), len)?
        {
            return Ok(());
        }
        if self.dictionary(column, vector, ty, array, offset, len)? {
            return Ok(());
        }
        write(vector, ty, Source::new(array.as_ref(), offset, len)?, self.kept.tables.get_mut(column))
    }

    fn write_nulls(&mut self, column: usize, ty: &ColumnType, len: usize) -> Result<()> {
        let vector = self.column(column, len)?;
        if self.constant(vector, ty, &Constant::Null, len)? {
            return Ok(());
        }
        write_nulls(vector, ty, len)
    }

    fn write_constant(&mut self, column: usize, ty: &ColumnType, value: &Constant, len: usize) -> Result<()> {
        let vector = self.column(column, len)?;
        if self.constant(vector, ty, value, len)? {
            return Ok(());
        }
        let array = constant::array(ty, value, len)?;
        write(vector, ty, Source::new(array.as_ref(), 0, len)?, Some(&mut StringTable::default()))
    }
}
