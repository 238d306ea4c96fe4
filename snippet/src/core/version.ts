// Which tracker speaks; a test compares this with package.json.
export const version = '0.1.0';
