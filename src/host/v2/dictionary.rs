//! Dictionary vectors. The C API makes them of Arrow arrays only, so a chunk's strings go to DuckDB's importer as a
//! dictionary array and the vector that comes back is referenced.
//!
//! The importer converts a dictionary again for every chunk, so of a large one it is given the strings of the one chunk.

use std::{ffi::c_void, fmt, ptr};

use arrow::{
    datatypes::{Field, Schema},
    ffi::FFI_ArrowSchema,
};
use duckdb_neo::{AsRaw, connection::Context, ffi};
use tstable_core::{
    Error, Result,
    schema::{ColumnType, Strings},
};

use super::{
    super::{CHUNK_ROWS, vector::Distinct},
    api::call,
    output::Vector,
};

/// Makes dictionary vectors for one thread of one execution.
pub(super) struct Importer(ffi::duckdb_v2_arrow_importer_handle);

// SAFETY: the importer belongs to one thread's state, which DuckDB may move to another thread but never shares.
unsafe impl Send for Importer {}

impl fmt::Debug for Importer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Importer").finish_non_exhaustive()
    }
}

impl Importer {
    /// An importer of arrays with a single column of strings. It must not outlive the execution that `context` is of.
    pub(super) fn new(context: &Context) -> Result<Self> {
        let field = Field::new("v", ColumnType::Varchar.arrow(Strings::Dictionary), true);
        let mut schema = FFI_ArrowSchema::try_from(Schema::new(vec![field]))
            .map_err(|error| Error::invalid_argument("a schema has no form in C").caused_by(error))?;
        let mut importer = ptr::null_mut();
        // SAFETY: the context is alive; the schema has the C data interface's layout and is only read.
        unsafe {
            let schema = (&raw mut schema).cast();
            call!(duckdb_v2_arrow_importer_create(context.get_raw(), schema, CHUNK_ROWS as u64, &raw mut importer))?;
        }
        Ok(Self(importer))
    }

    /// Makes `target` a dictionary vector of these strings.
    pub(super) fn fill(&mut self, strings: Distinct, target: Vector) -> Result<()> {
        let mut array = Exported::array(strings)?;
        let mut chunk = ptr::null_mut();
        // SAFETY: the importer is alive and this thread's. It takes the array, or leaves it for us to release. The chunk
        // is destroyed once; `target` then shares what it needs of it.
        unsafe {
            let taken = call!(duckdb_v2_arrow_importer_append(self.0, &raw mut array, true, true));
            if let (Err(_), Some(release)) = (&taken, array.release) {
                release(&raw mut array);
            }
            taken?;
            call!(duckdb_v2_arrow_importer_next_chunk(self.0, &raw mut chunk))?;
            let referenced = reference(chunk, target);
            ffi::duckdb_v2_data_chunk_destroy(&raw mut chunk);
            referenced
        }
    }
}

impl Drop for Importer {
    fn drop(&mut self) {
        // SAFETY: the handle is destroyed once.
        unsafe { ffi::duckdb_v2_arrow_importer_destroy(&raw mut self.0) };
    }
}

/// # Safety
/// `chunk` is null or alive.
unsafe fn reference(chunk: ffi::duckdb_v2_data_chunk_handle, target: Vector) -> Result<()> {
    if chunk.is_null() {
        return Err(Error::internal("DuckDB imported no rows of some"));
    }
    let mut vector = ptr::null_mut();
    // SAFETY: the chunk is alive and has the importer's one column.
    unsafe {
        call!(duckdb_v2_data_chunk_get_vector(chunk, 0, &raw mut vector))?;
        call!(duckdb_v2_vector_reference(target.raw(), vector))
    }
}

/// The memory behind an array of the C data interface: a struct of one column of dictionary-encoded strings. The inner
/// arrays belong to the outer one and live as long as it.
struct Exported {
    strings: Distinct,
    validity: Vec<u8>,
    of_root: [*const c_void; 1],
    of_keys: [*const c_void; 2],
    of_strings: [*const c_void; 3],
    children: [*mut ffi::ArrowArray; 1],
    keys: ffi::ArrowArray,
    dictionary: ffi::ArrowArray,
}

impl Exported {
    fn array(strings: Distinct) -> Result<ffi::ArrowArray> {
        let too_many = |_| Error::limit_exceeded("a chunk has more rows than can be counted");
        let rows = i64::try_from(strings.keys.len()).map_err(too_many)?;
        let values = i64::try_from(strings.strings.len()).map_err(too_many)?;
        let null_count = strings.nulls.as_ref().map_or(0, |nulls| nulls.null_count());
        let validity =
            strings.nulls.as_ref().map(|nulls| nulls.inner().sliced().as_slice().to_vec()).unwrap_or_default();
        let mut this = Box::new(Self {
            strings,
            validity,
            of_root: [ptr::null()],
            of_keys: [ptr::null(); 2],
            of_strings: [ptr::null(); 3],
            children: [ptr::null_mut()],
            keys: ffi::ArrowArray::empty(),
            dictionary: ffi::ArrowArray::empty(),
        });
        if null_count > 0 {
            this.of_keys[0] = this.validity.as_ptr().cast();
        }
        this.of_keys[1] = this.strings.keys.as_ptr().cast();
        this.of_strings =
            [ptr::null(), this.strings.strings.offsets.as_ptr().cast(), this.strings.strings.bytes.as_ptr().cast()];
        this.dictionary = ffi::ArrowArray {
            length: values,
            n_buffers: 3,
            buffers: this.of_strings.as_mut_ptr(),
            release: Some(release_inner),
            ..ffi::ArrowArray::empty()
        };
        this.keys = ffi::ArrowArray {
            length: rows,
            null_count: i64::try_from(null_count).map_err(too_many)?,
            n_buffers: 2,
            buffers: this.of_keys.as_mut_ptr(),
            dictionary: &raw mut this.dictionary,
            release: Some(release_inner),
            ..ffi::ArrowArray::empty()
        };
        this.children = [&raw mut this.keys];
        Ok(ffi::ArrowArray {
            length: rows,
            n_buffers: 1,
            n_children: 1,
            buffers: this.of_root.as_mut_ptr(),
            children: this.children.as_mut_ptr(),
            release: Some(release),
            private_data: Box::into_raw(this).cast(),
            ..ffi::ArrowArray::empty()
        })
    }
}

/// The release callback of the inner arrays, whose memory the outer one frees.
unsafe extern "C" fn release_inner(array: *mut ffi::ArrowArray) {
    // SAFETY: the interface passes the array to be released.
    unsafe { (*array).release = None };
}

/// The release callback of the outer array.
unsafe extern "C" fn release(array: *mut ffi::ArrowArray) {
    // SAFETY: the interface passes the array to be released, once; its private data is the box made for it.
    unsafe {
        (*array).release = None;
        drop(Box::from_raw((*array).private_data.cast::<Exported>()));
    }
}
