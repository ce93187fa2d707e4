#pragma once
// Embeddings of an evaluation, kept to be scored again without a network (docs/FORMATS.md, "Kept embeddings").
#include "trainer/apply/embed_images.h"

namespace facemae {

/// Writes the rows to `npy`, and beside them, in NPY.json, what they are of: images, and whether mirror images were added.
/// Throws FileError.
void keep_embeddings(const Path& npy, const ImageSet& images, const torch::Tensor& rows, bool flip_sum);

/// The rows of a file that keep_embeddings() or another program wrote. Throws DataError when it has another number of rows
/// than there are images, or when NPY.json says that it is of other images, was made otherwise, or belongs to another
/// file; without NPY.json, a warning says that only the number was compared.
Embeddings kept_embeddings(const Path& npy, const ImageSet& images, bool flip_sum);

}  // namespace facemae
