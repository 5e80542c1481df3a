import { cleanText, jsonBytes } from '../clean-text';
import type { RegistrationFile } from './registration-file';
import { MAX_FILE_SUMMARY_BYTES } from './registration-file-limits';

/** Longest description of a file that is too long without any of its lists. */
const SHORT_DESCRIPTION_LENGTH = 500;

/** The file within `MAX_FILE_SUMMARY_BYTES`: its lists are halved until it fits, then its longest texts are left out. */
export function fitRegistrationFile(file: RegistrationFile): RegistrationFile {
  let fitted = file;
  while (jsonBytes(fitted) > MAX_FILE_SUMMARY_BYTES) {
    const { services, supportedTrust, declaredSkills, declaredDomains } = fitted;
    if (services.length + supportedTrust.length + declaredSkills.length + declaredDomains.length === 0)
      return withoutLongTexts(fitted);
    fitted = {
      ...fitted,
      services: half(services),
      supportedTrust: half(supportedTrust),
      declaredSkills: half(declaredSkills),
      declaredDomains: half(declaredDomains),
    };
  }
  return fitted;
}

function half<T>(list: readonly T[]): readonly T[] {
  return list.slice(0, Math.floor(list.length / 2));
}

function withoutLongTexts({ image: _image, description, ...file }: RegistrationFile): RegistrationFile {
  if (description === undefined) return file;
  return { ...file, description: cleanText(description, SHORT_DESCRIPTION_LENGTH) };
}
