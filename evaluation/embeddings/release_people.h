#pragma once
// Who is where in a release and in the store that it was made of, by rows alone: no picture is needed for it.
#include <cstdint>
#include <span>
#include <vector>

namespace facemae {

/// Ascending lists of rows or numbers, one after the other.
struct NumberLists {
  std::vector<std::int64_t> begin{0}, numbers;
  void add(std::span<const std::int64_t> list) {
    numbers.insert(numbers.end(), list.begin(), list.end());
    begin.push_back(static_cast<std::int64_t>(numbers.size()));
  }
  std::int64_t size() const { return static_cast<std::int64_t>(begin.size()) - 1; }
  std::span<const std::int64_t> operator[](std::int64_t i) const {
    const auto at = static_cast<std::size_t>(i);
    return std::span(numbers).subspan(static_cast<std::size_t>(begin[at]),
                                      static_cast<std::size_t>(begin[at + 1] - begin[at]));
  }
};
/// For each number below `count`, which lists have it.
NumberLists inverse_of(const NumberLists& lists, std::int64_t count);

struct ReleasePeople {
  std::vector<std::int64_t> person_of_photo;   ///< [N] 0 .. people - 1, -1 nobody known
  std::vector<std::int64_t> class_of_picture;  ///< [P] released label
  std::int64_t people = 0, classes = 0;
  NumberLists photos_of_picture;  ///< [P] what it was made of
  // From the above:
  NumberLists photos_of_person;           ///< [people]
  NumberLists people_of_picture;          ///< [P]
  NumberLists people_of_class;            ///< [classes]
  NumberLists classes_of_person;          ///< [people] none of those who were not released
  std::int64_t most_people_of_class = 1;  ///< K of a blend
};
/// Fills in what follows from the rest. Throws DataError when a picture was made of a photo that is not there.
void complete(ReleasePeople& people);

}  // namespace facemae
