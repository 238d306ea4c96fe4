// Whole pages as files, and no guessing at the root of the project from lock files above.
export default { output: 'export', turbopack: { root: import.meta.dirname } };
