const { sep } = require('node:path');
const { Script } = require('node:vm');
const { default: Runtime } = require('jest-runtime');

const INSTALLED = `${sep}node_modules${sep}`;

/** Of installed packages, which nobody changes meanwhile: what each file says. */
const installed = new Map();
/** What was compiled of each file. */
const scripts = new Map();

/**
 * Jest gives each test file modules of its own, for which it reads and compiles every file anew: that takes longer than
 * most tests do. Here a worker reads and compiles a file once. What a module does when it is loaded, it still does for
 * each test file. Its limit: scripts get no `importModuleDynamically`,
 * so `import()` fails in what it compiles.
 */
class CompileOnce extends Runtime {
  transformFile(filename, options) {
    if (!filename.includes(INSTALLED)) return super.transformFile(filename, options);
    const known = installed.get(filename);
    if (known !== undefined) return known;
    const code = super.transformFile(filename, options);
    installed.set(filename, code);
    return code;
  }

  createScriptFromCode(code, filename) {
    const context = this._environment.getVmContext();
    if (context === null) return null;
    const known = scripts.get(filename);
    if (known?.code === code) return known.script.runInContext(context);
    const head = `(function(${this.constructInjectedModuleParameters().join(',')}){`;
    let script;
    try {
      script = new Script(`${head}${code}\n})`, { filename, columnOffset: -head.length });
    } catch {
      // Jest says where the mistake is.
      return super.createScriptFromCode(code, filename);
    }
    scripts.set(filename, { code, script });
    return script.runInContext(context);
  }
}

module.exports = CompileOnce;
